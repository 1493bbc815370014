//! Where the rules' errors get their codes for the answer's `errors`: in one place, for every resolver. What a person
//! can mend never comes here, except where a query was asked with it.

use async_graphql::{ErrorExtensionValues, ServerError, Value};

use crate::kernel::{Code, Error, Language, message};

/// Seconds after which to try again where the store of files does not answer.
const STORE_RETRY: u32 = 5;

/// Gives the errors of an answer their codes, and their messages in the caller's language.
pub fn give_codes(errors: &mut [ServerError], language: Language) {
    for error in errors {
        give_code(error, language);
    }
}

/// Whether an error is a fault of the service or its database, before it has its code. What has no cause among ours is the
/// library's word on what was asked.
pub(super) fn is_fault(error: &ServerError) -> bool {
    error.source::<Error>().is_some_and(Error::is_fault)
}

fn give_code(error: &mut ServerError, language: Language) {
    let Some(cause) = error.source::<Error>() else {
        return;
    };
    let (code, said, extra): (_, _, Option<(&str, Value)>) = match cause {
        Error::Unauthenticated => ("UNAUTHENTICATED", None, None),
        Error::Forbidden(action) => ("FORBIDDEN", None, Some(("permission", Value::from(action.name())))),
        Error::SecondFactorRequired => (
            "SECOND_FACTOR_REQUIRED",
            Some(message::text(language, Code::SecondFactorDemanded.name(), &[])),
            None,
        ),
        Error::ConfirmationRequired => ("CONFIRMATION_REQUIRED", None, None),
        Error::StorageUnavailable => (
            "STORAGE_UNAVAILABLE",
            None,
            Some(("retryAfter", Value::from(STORE_RETRY))),
        ),
        Error::Busy(seconds) => ("THROTTLED", None, Some(("retryAfter", Value::from(*seconds)))),
        Error::BadInput(text) => ("BAD_USER_INPUT", Some(text.clone()), None),
        Error::Problems(problems) => {
            let first = problems.first();
            let said = first.map(|problem| message::text(language, problem.code.name(), &problem.words));
            (
                "BAD_USER_INPUT",
                said,
                first.map(|problem| ("reason", Value::from(problem.code.name()))),
            )
        }
        Error::Internal(cause) | Error::Uncertain(cause) => {
            // The answer layer hides this text and puts the request's ID in its place.
            tracing::error!(cause, "a request failed");
            return;
        }
    };
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    if let Some((name, value)) = extra {
        extensions.set(name, value);
    }
    error.message = said.unwrap_or_else(|| message::text(language, code, &[]));
    error.extensions = Some(extensions);
}
