//! What an embedding program puts in front of a persona.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use clp_issuer::Issuer;
use clp_issuer::config::Config;
use clp_schemas::ops::discover::MANIFEST_PATH;

#[tokio::test]
async fn what_is_put_in_front_of_a_persona_sees_every_call_and_can_answer_in_its_place() {
    let running = Issuer::builder()
        .config(Config::built_in().unwrap().with_ports(0).unwrap())
        .wrap(|persona, router| {
            let persona = persona.to_owned();
            router.layer(middleware::from_fn(move |request: Request, next: Next| {
                let persona = persona.clone();
                async move {
                    match request.uri().path() {
                        "/teapot" => Response::new(Body::from(persona)),
                        _ => next.run(request).await,
                    }
                }
            }))
        })
        .spawn()
        .await
        .unwrap();
    for persona in &running.personas {
        let text = async |path: &str| {
            let answer = reqwest::get(format!("{}{path}", persona.url)).await;
            answer.unwrap().text().await.unwrap()
        };
        assert_eq!(text("/teapot").await, persona.name);
        assert!(text(MANIFEST_PATH).await.contains(&persona.url));
    }
}
