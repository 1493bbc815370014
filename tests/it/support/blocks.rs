//! The fenced blocks of README.md and of other pages: marker, language, text, and the answer that it promises.

use serde_json::Value;

const README: &str = include_str!("../../../README.md");

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    /// The file that it stands in.
    pub file: &'static str,
    /// Where its fence opens, from 1.
    pub line: usize,
    /// The HTML comment above the fence; empty without one.
    pub marker: &'static str,
    /// What stands behind the fence.
    pub language: &'static str,
    /// What stands between the fences.
    pub text: &'static str,
    /// The json block that follows, with nothing but text that is no block between.
    pub answer: Option<&'static str>,
}

impl Block {
    /// Holds `printed` against the answer, where there is one.
    ///
    /// # Panics
    /// When they differ.
    pub fn compare(&self, printed: &str) {
        let Some(answer) = self.answer else { return };
        let place = format!("{}:{}", self.file, self.line);
        let expected: Value = serde_json::from_str(answer).unwrap_or_else(|error| panic!("{place}, answer: {error}"));
        let said = serde_json::from_str(printed).unwrap_or_else(|error| panic!("{place}: {error} in\n{printed}"));
        assert!(
            agrees(&expected, &said),
            "{place} promises\n{expected:#}\nbut got\n{said:#}"
        );
    }
}

/// Whether `said` is what was `expected`; the text "…" expects anything.
pub fn agrees(expected: &Value, said: &Value) -> bool {
    match (expected, said) {
        (Value::String(any), _) if any == "…" => true,
        (Value::Object(expected), Value::Object(said)) => {
            let matched = |(key, value)| said.get(key).is_some_and(|said| agrees(value, said));
            expected.len() == said.len() && expected.iter().all(matched)
        }
        (Value::Array(expected), Value::Array(said)) => {
            expected.len() == said.len() && expected.iter().zip(said).all(|(expected, said)| agrees(expected, said))
        }
        _ => expected == said,
    }
}

/// All fenced blocks of README.md.
pub fn blocks() -> Vec<Block> {
    blocks_of("README.md", README)
}

/// All fenced blocks of a page, in the order of the text; a json block is the answer of the block before it.
pub fn blocks_of(file: &'static str, page: &'static str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut marker, mut open, mut at) = ("", None, 0);
    for (number, line) in page.split_inclusive('\n').enumerate() {
        let start = at;
        at += line.len();
        let line = line.trim();
        match (open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((number + 1, language, at)),
            (Some((line, language, text)), Some(_)) => {
                let text = &page[text..start];
                match blocks.last_mut() {
                    Some(last) if language == "json" && last.answer.is_none() => last.answer = Some(text),
                    _ => blocks.push(Block {
                        file,
                        line,
                        marker,
                        language,
                        text,
                        answer: None,
                    }),
                }
                (marker, open) = ("", None);
            }
            (None, None) if line.starts_with("<!--") => {
                marker = line.trim_start_matches("<!--").trim_end_matches("-->").trim();
            }
            (None, None) if !line.is_empty() => marker = "",
            _ => {}
        }
    }
    blocks
}

/// The blocks under `<!-- marker -->`.
pub fn marked<'a>(blocks: &'a [Block], marker: &'a str) -> impl Iterator<Item = &'a Block> {
    blocks.iter().filter(move |block| block.marker == marker)
}

/// The commands of a block, continued lines joined; comments and empty lines are left out.
pub fn commands(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}
