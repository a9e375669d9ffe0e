//! Where the token is handed in: all that is seen without it.

use maud::{DOCTYPE, html};

/// The form for the token.
pub fn login() -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "vardelta: token" }
            }
            body {
                h1 { "vardelta" }
                form method="post" action="/login" {
                    label { "Token " input type="password" name="token" autocomplete="current-password" autofocus; }
                    " " button { "Show" }
                }
            }
        }
    }
    .into_string()
}
