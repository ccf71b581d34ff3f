//! Access tokens: JWT (RFC 7519) with HMAC-SHA256 and nothing else.
//!
//! The algorithm is pinned on both sides (RFC 8725, section 3.1); the library's own providers bring RSA and curves
//! that are not wanted here, so the one algorithm is given to it.

use super::{ACCESS_TTL_S, SESSION_MAX_S, Scope};
use arki_model::clock::UnixSeconds;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

const ISSUER: &str = "arki-hub";
/// A token has some 200 bytes; nothing longer is looked at.
const BYTES_MAX: usize = 1_024;

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    sub: String,
    /// What it may do.
    pub scope: Scope,
    iat: i64,
    exp: i64,
    /// When the key itself was shown, in a session of the built-in page; none in any other token. A session may be
    /// renewed, up to [`SESSION_MAX_S`] from then on (a claim of that name is in `OpenID` Connect).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
}

impl Claims {
    /// The number of the API key that it was got with; -1 is none.
    pub fn key_no(&self) -> i64 {
        self.sub.parse().unwrap_or(-1)
    }
}

/// Makes and checks access tokens.
pub struct Jwt {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl std::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Jwt(…)")
    }
}

impl Jwt {
    /// With the secret that all hubs on one database share.
    pub fn new(secret: &[u8]) -> Self {
        // a second hub in the same process (tests) installs the same provider
        if PROVIDER.install_default().is_err() {
            tracing::trace!("the provider was there already");
        }
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
        }
    }

    /// A token for the key `key_no`, and when it ends; `auth_time` is a session's beginning.
    pub fn issue(
        &self,
        key_no: i64,
        scope: Scope,
        auth_time: Option<UnixSeconds>,
        now_s: UnixSeconds,
    ) -> Result<(String, UnixSeconds)> {
        let end = auth_time.map_or(i64::MAX, |since| since.saturating_add(SESSION_MAX_S));
        let exp = end.min(now_s + ACCESS_TTL_S);
        let (iss, sub) = (ISSUER.to_owned(), key_no.to_string());
        let claims = Claims {
            iss,
            sub,
            scope,
            iat: now_s,
            exp,
            auth_time,
        };
        Ok((
            jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)?,
            exp,
        ))
    }

    /// What `token` says, if it is one of ours and has not ended.
    pub fn verify(&self, token: &str, now_s: UnixSeconds) -> Option<Claims> {
        if token.len() > BYTES_MAX {
            return None;
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.validate_exp = false; // the library reads its own clock; ours is passed in
        let claims: Claims = jsonwebtoken::decode(token, &self.decoding, &validation)
            .ok()?
            .claims;
        let in_time = claims.exp > now_s && claims.exp <= now_s + ACCESS_TTL_S;
        in_time.then_some(claims)
    }
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(keyed(key.as_bytes())?)),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(keyed(key.try_get_as_bytes()?)?)),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(Hmac<Sha256>);

fn keyed(secret: &[u8]) -> Result<Hs256> {
    let mac = Hmac::new_from_slice(secret).map_err(|_| ErrorKind::InvalidKeyFormat)?;
    Ok(Hs256(mac))
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, signature::Error> {
        Ok(self
            .0
            .clone()
            .chain_update(message)
            .finalize()
            .into_bytes()
            .to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], tag: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        // in constant time
        self.0
            .clone()
            .chain_update(message)
            .verify_slice(tag)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    #[test]
    fn the_example_of_rfc_7515() {
        // appendix A.1: the key, the signing input and its MAC
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let input = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                     eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let mac = keyed(&URL_SAFE_NO_PAD.decode(key).unwrap()).unwrap();
        let tag = URL_SAFE_NO_PAD.encode(mac.sign(input.as_bytes()));
        assert_eq!(tag, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test]
    fn a_token_lives_a_quarter_of_an_hour() {
        let jwt = Jwt::new(&[1; 32]);
        let (token, ends) = jwt.issue(7, Scope::Sandbox, None, 1_000).unwrap();
        assert_eq!(ends, 1_900);
        let claims = jwt.verify(&token, 1_899).unwrap();
        assert_eq!((claims.key_no(), claims.scope), (7, Scope::Sandbox));
        assert_eq!(jwt.verify(&token, 1_900), None);
        assert_eq!(jwt.verify(&token, 0), None, "from the future");
        assert_eq!(Jwt::new(&[2; 32]).verify(&token, 1_000), None);
        let end = 1_000 + SESSION_MAX_S;
        let (_, ends) = jwt.issue(7, Scope::Read, Some(1_000), end - 60).unwrap();
        assert_eq!(ends, end, "a session ends, however often it is renewed");
    }

    #[test]
    fn other_algorithms_and_every_changed_byte_are_refused() {
        let jwt = Jwt::new(&[1; 32]);
        let (token, _) = jwt.issue(7, Scope::Read, None, 1_000).unwrap();
        let (_, rest) = token.split_once('.').unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS512","typ":"JWT"}"#,
            r#"{"alg":"RS256"}"#,
            r#"{"alg":"EdDSA"}"#,
        ] {
            let header = URL_SAFE_NO_PAD.encode(header);
            assert_eq!(jwt.verify(&format!("{header}.{claims}."), 1_000), None);
            assert_eq!(jwt.verify(&format!("{header}.{rest}"), 1_000), None);
        }
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            // the last character of a MAC in base64 has two bits that mean nothing, and are refused too
            assert_eq!(jwt.verify(&changed, 1_000), None, "at {at}");
        }
        assert_eq!(jwt.verify(&"a".repeat(100_000), 1_000), None);
    }
}
