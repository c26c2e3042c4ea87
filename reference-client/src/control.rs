//! The test control of a test issuer.

use clp_schemas::ops::Call;
use url::Url;

use crate::client::{Along, Settings, below, perform};
use crate::error::{Error, NotAllowed};
use crate::token::Token;
use crate::transport::{Authorization, Transport};

/// The test control of a test issuer (spec chapter 80): another address, another token.
#[derive(Clone, Debug)]
pub struct Control {
    base: Url,
    token: Token,
    transport: Transport,
}

impl Control {
    /// Test control at `base`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] unless the settings allow test issuers, and this URL.
    pub fn new(base: Url, token: Token, settings: &Settings) -> Result<Self, Error> {
        if !settings.policy.test_issuer {
            return Err(NotAllowed::TestIssuer.into());
        }
        settings.policy.check_url(&base)?;
        Ok(Self {
            base,
            token,
            transport: Transport::new(settings)?,
        })
    }

    /// Calls an endpoint of test control.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call<C: Call>(&self, path: &C::Path, body: &C::Body) -> Result<C::Answer, Error> {
        let url = below(&self.base, C::ID.row().path, path)?;
        let who = Authorization::Bearer(&self.token);
        let answer = perform::<C>(&self.transport, url, who, body, Along::default());
        Ok(answer.await.map_err(Error::of_control)?.value)
    }
}
