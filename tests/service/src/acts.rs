//! How the service misbehaves.

/// What is done with one request, or with all that it fits.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Answers as it should: `ok`.
    Answer,
    /// A status, with `Retry-After` as it is sent: `status 503`, `status 429 0.25`. `date+2` is the date two seconds from then.
    Status(u16, Option<String>),
    /// Nothing for so many milliseconds, then the connection ends: `silent 5000`.
    Silent(u64),
    /// The answer byte by byte, so many milliseconds apart: `drip 50`.
    Drip(u64),
    /// The connection ends without an answer: `reset`.
    Reset,
    /// Half of the answer, then the connection ends: `truncated`.
    Truncated,
    /// Half of the answer, said to be all of it: `cut`.
    Cut,
    /// What is no JSON: `invalid`.
    Invalid,
    /// Status 200 and an error in the body: `error`.
    Error,
    /// The answer for another key: `other`.
    OtherKey,
    /// The answer for the first half of the keys: `half`.
    Half,
    /// Elsewhere on this service, with a status: `redirect 307`.
    Redirect(u16),
    /// The answer compressed: `gzip`.
    Gzip,
    /// A body of so many bytes: `huge 1000000000`.
    Huge(u64),
    /// A body of so many bytes once it is decompressed: `bomb 100000000`.
    Bomb(u64),
    /// Every request with this key fails with a status: `poison 500 TP53`. Goes on.
    Poison(u16, String),
    /// Every request with more keys than this is too large: `most 10`. Goes on.
    Most(usize),
}

impl Act {
    /// Reads an act as it is in a script.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Act, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
        let status = || number(1).and_then(|status| u16::try_from(status).ok());
        let word = || words.get(2).map(|word| (*word).to_owned());
        let act = match words.first().copied().unwrap_or_default() {
            "ok" => Some(Act::Answer),
            "status" => status().map(|code| Act::Status(code, word())),
            "silent" => number(1).map(Act::Silent),
            "drip" => number(1).map(Act::Drip),
            "reset" => Some(Act::Reset),
            "truncated" => Some(Act::Truncated),
            "cut" => Some(Act::Cut),
            "invalid" => Some(Act::Invalid),
            "error" => Some(Act::Error),
            "other" => Some(Act::OtherKey),
            "half" => Some(Act::Half),
            "redirect" => status().map(Act::Redirect),
            "gzip" => Some(Act::Gzip),
            "huge" => number(1).map(Act::Huge),
            "bomb" => number(1).map(Act::Bomb),
            "poison" => status().zip(word()).map(|(code, key)| Act::Poison(code, key)),
            "most" => number(1).and_then(|most| usize::try_from(most).ok()).map(Act::Most),
            _ => None,
        };
        act.ok_or_else(|| format!("`{text}` is no act"))
    }

    /// Whether it holds for this request, of those that go on.
    pub(crate) fn fits(&self, keys: &[String]) -> bool {
        match self {
            Act::Poison(_, key) => keys.contains(key),
            Act::Most(most) => keys.len() > *most,
            _ => false,
        }
    }

    /// Whether it holds for all requests from then on.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(self, Act::Poison(..) | Act::Most(_))
    }
}
