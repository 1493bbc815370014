//! Documents that were parsed: programs send the same few again and again, and parsing one takes longer than anything else
//! that is done with a small one before it is executed. What is checked of a document is checked each time. A document with
//! texts in it, which may be passwords or personal data instead of variables, is not kept.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_graphql::{ServerError, parser::types::ExecutableDocument};

use super::scan;

/// The most text in bytes of all documents that are kept; parsed, they take some twenty times that.
const ROOM: usize = 64 * 1024;

/// The documents of one server.
#[derive(Debug, Default)]
pub struct Documents(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    documents: HashMap<Box<str>, ExecutableDocument>,
    size: usize,
}

impl Documents {
    /// The document of a text that was scanned; parsed, where it is not known.
    ///
    /// # Errors
    /// What [`scan::parse`] says; a text that is no document is not kept.
    pub fn parse(&self, text: &str) -> Result<ExecutableDocument, ServerError> {
        if let Some(document) = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .documents
            .get(text)
        {
            return Ok(document.clone());
        }
        let document = scan::parse(text)?;
        if text.len() > ROOM / 8 || text.contains('"') {
            return Ok(document);
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.size + text.len() > ROOM {
            *kept = Kept::default();
        }
        if kept.documents.insert(text.into(), document.clone()).is_none() {
            kept.size += text.len();
        }
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_document_is_what_parsing_it_again_would_make() {
        let documents = Documents::default();
        for text in [
            "{ a }",
            "query A { a(b: 1) }",
            "{ a }",
            "query A { a(b: 2) }",
            "query A { a(b: 1) }",
        ] {
            let known = documents.parse(text).unwrap();
            assert_eq!(format!("{known:?}"), format!("{:?}", scan::parse(text).unwrap()));
        }
        assert!(documents.parse("{ a").is_err());
        documents.parse("{ a(password: \"secret\") }").unwrap();
        assert_eq!(documents.0.lock().unwrap().documents.len(), 3);
    }

    #[test]
    fn they_take_no_more_than_their_room() {
        let documents = Documents::default();
        for number in 0..2_000 {
            documents
                .parse(&format!("{{ a{number} {} }}", " ".repeat(number % 100)))
                .unwrap();
            assert!(documents.0.lock().unwrap().size <= ROOM);
        }
        let large = format!("{{ a {} }}", " ".repeat(ROOM / 8));
        documents.parse(&large).unwrap();
        assert!(!documents.0.lock().unwrap().documents.contains_key(large.as_str()));
    }
}
