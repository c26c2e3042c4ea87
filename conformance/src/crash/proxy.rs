//! What stands between client and issuer: it sees each request and each answer, and lets a kill
//! fall between them. Neither of the two knows of it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::issuer::IssuerProcess;
use super::ledger::Ledger;
use super::trap::{Phase, Trap};
use super::wire::Message;

/// The way to the issuer.
pub struct Proxy {
    /// The issuer.
    pub issuer: Arc<IssuerProcess>,
    /// What is seen goes there.
    pub trap: Arc<Trap>,
    /// What the issuer answered is kept there.
    pub ledger: Arc<Mutex<Ledger>>,
    /// The port that clients know.
    pub port: u16,
    /// How many connections are under way.
    pub under_way: watch::Sender<usize>,
}

impl Proxy {
    /// Lets connections through for as long as somebody waits for it.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let proxy = Arc::clone(&self);
            self.under_way.send_modify(|count| *count += 1);
            tokio::spawn(async move {
                // Whoever hangs up in the middle has been killed, or is to think that the
                // other has been.
                let _ = proxy.one(stream).await;
                proxy.under_way.send_modify(|count| *count -= 1);
            });
        }
    }

    /// Waits until nothing is under way that a client sent which has ended: what it wrote before it
    /// was killed still arrives, and the issuer still does it.
    pub async fn settle(&self) {
        // Connections are taken up in their order, so those before this one have been by its end.
        if let Ok(mut last) = TcpStream::connect(("127.0.0.1", self.port)).await {
            let _ = last.shutdown().await;
            let mut rest = [0];
            let _ = last.read(&mut rest).await;
        }
        let mut under_way = self.under_way.subscribe();
        let _ = under_way.wait_for(|count| *count == 0).await;
    }

    /// One request and its answer; `None` where the connection ends without one.
    async fn one(&self, mut client: TcpStream) -> Option<()> {
        let request = Message::read(&mut client).await?;
        let number = self.trap.request(request.endpoint());
        if self.trap.at(number, Phase::Arrived) {
            return None;
        }
        let mut issuer = TcpStream::connect(self.issuer.address()).await.ok()?;
        let inside = format!("localhost:{}", self.issuer.port);
        let outside = format!("localhost:{}", self.port);
        self.ledger(|ledger| ledger.sent(&request));
        issuer
            .write_all(&request.bytes(&outside, &inside))
            .await
            .ok()?;
        self.trap.at(number, Phase::Working);
        let answer = Message::read(&mut issuer).await?;
        self.ledger(|ledger| ledger.answered(&request, &answer));
        if self.trap.at(number, Phase::Worked) {
            return None;
        }
        let url = |place: &str| format!("http://{place}");
        let answer = answer.bytes(&url(&inside), &url(&outside));
        client.write_all(&answer).await.ok()?;
        client.shutdown().await.ok()?;
        // The client closes once it has read to the end.
        let mut rest = [0];
        let _ = client.read(&mut rest).await;
        self.trap.at(number, Phase::Answered);
        Some(())
    }

    fn ledger(&self, note: impl FnOnce(&mut Ledger)) {
        note(&mut self.ledger.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
