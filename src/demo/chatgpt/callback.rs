//! What the browser brings back from the authorization endpoint (RFC 6749 §4.1.2, RFC 9207).
//! Two checks stand before anything in it is believed: `state` says that this browser asked, `iss` says who answered.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use oauth2::{AuthorizationCode, CsrfToken};
use url::form_urlencoded;

use super::plugin::Server;

/// The answer, believed.
#[derive(Debug)]
pub(super) enum Answer {
    Code(AuthorizationCode),
    Refused { error: String, description: Option<String> },
}

/// Why an answer is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Disbelief {
    #[error("No sign-in is under way in this browser. Press “Install plugin” to begin one.")]
    Unasked,
    #[error("The answer carries a parameter twice, so nobody can say which one is meant.")]
    Repeated,
    #[error(
        "The answer's state is not the one this browser was sent away with. Somebody else's sign-in may have been slipped in, so it was not used."
    )]
    State,
    #[error("The answer comes from another issuer than the one that was asked, so it was not used.")]
    Issuer,
    #[error("The answer carries neither a code nor an error.")]
    Empty,
}

/// Reads the callback's query against the `state` this browser left with.
pub(super) fn read(query: &str, state: &CsrfToken, server: &Server) -> Result<Answer, Disbelief> {
    let parameters = Parameters::read(query)?;
    parameters.check_state(state)?;
    parameters.check_issuer(server)?;
    match (parameters.error, parameters.code) {
        (Some(error), _) => Ok(Answer::Refused { error, description: parameters.description }),
        (None, Some(code)) => Ok(Answer::Code(AuthorizationCode::new(code))),
        (None, None) => Err(Disbelief::Empty),
    }
}

#[derive(Default)]
struct Parameters {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

impl Parameters {
    fn read(query: &str) -> Result<Self, Disbelief> {
        let mut parameters = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "code" => &mut parameters.code,
                "state" => &mut parameters.state,
                "iss" => &mut parameters.iss,
                "error" => &mut parameters.error,
                "error_description" => &mut parameters.description,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(Disbelief::Repeated);
            }
        }
        Ok(parameters)
    }

    fn check_state(&self, expected: &CsrfToken) -> Result<(), Disbelief> {
        let state = self.state.as_deref().unwrap_or_default();
        verify_slices_are_equal(state.as_bytes(), expected.secret().as_bytes()).map_err(|_| Disbelief::State)
    }

    fn check_issuer(&self, server: &Server) -> Result<(), Disbelief> {
        match &self.iss {
            Some(iss) if *iss == server.issuer => Ok(()),
            None if !server.authorization_response_iss_parameter_supported => Ok(()),
            _ => Err(Disbelief::Issuer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(query: &str) -> Result<Answer, Disbelief> {
        let server = Server {
            issuer: "http://as".to_owned(),
            revocation_endpoint: None,
            authorization_response_iss_parameter_supported: true,
        };
        read(query, &CsrfToken::new("s1".to_owned()), &server)
    }

    #[test]
    fn only_the_answer_to_our_question_is_believed() {
        assert!(matches!(
            answer("code=c&state=s1&iss=http://as"),
            Ok(Answer::Code(code)) if code.secret() == "c"
        ));
        for (query, why) in [
            ("code=c&state=s2&iss=http://as", Disbelief::State),
            ("code=c&iss=http://as", Disbelief::State),
            ("error=access_denied&state=&iss=http://as", Disbelief::State),
            ("code=c&state=s1&iss=http://other", Disbelief::Issuer),
            ("code=c&state=s1", Disbelief::Issuer),
            ("code=c&code=d&state=s1&iss=http://as", Disbelief::Repeated),
            ("state=s1&iss=http://as", Disbelief::Empty),
        ] {
            assert_eq!(answer(query).unwrap_err(), why, "{query}");
        }
    }

    #[test]
    fn a_refusal_keeps_its_words() {
        let refused = answer("error=access_denied&error_description=No+thanks&state=s1&iss=http://as");
        assert!(matches!(
            refused,
            Ok(Answer::Refused { error, description: Some(description) })
                if error == "access_denied" && description == "No thanks"
        ));
    }
}
