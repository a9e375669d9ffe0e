//! What text must become before it leaves: unprintable characters are escaped for terminals, JSON and spreadsheets, long
//! values are cut, and secrets are taken out. Every output goes through here, and nothing else decides what may be printed.

pub mod escape;
pub mod secret;
