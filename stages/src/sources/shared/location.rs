//! What people write for `path` that is no glob of files on this machine: each gets an answer of its own.

use std::path::Path;

/// What is wrong with a path, and what to do; `None` for one that can be a glob. Looks at the disk only to tell a folder
/// from a file.
pub(super) fn problem(text: &str, base: &Path) -> Option<(String, String)> {
    let answer = |problem: &str, hint: String| Some((problem.to_owned(), hint));
    if text.is_empty() {
        return answer(
            "it is empty",
            "Write a file name in which `*` stands for any characters, such as `drops/*.vcf.gz`, or leave `path` out."
                .into(),
        );
    }
    if let Some((scheme, rest)) = text.split_once("://")
        && !scheme.is_empty()
        && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    {
        let fetch = |tool: &str| {
            format!(
                "Copy the files to a folder first (`{tool}`), and write that folder's glob; or pass one file through a pipe as `-`."
            )
        };
        return match scheme.to_ascii_lowercase().as_str() {
            "file" => answer(
                "it is a URL, not a path",
                format!("Write the path alone: `{}`.", rest.trim_start_matches("localhost")),
            ),
            "s3" => answer("objects in S3 are not read", fetch("aws s3 sync s3://… drops/")),
            "gs" => answer("objects in Google Cloud Storage are not read", fetch("gcloud storage rsync gs://… drops/")),
            "az" | "abfs" | "abfss" | "wasb" | "wasbs" => {
                answer("objects in Azure storage are not read", fetch("azcopy sync"))
            }
            "http" | "https" | "ftp" | "ftps" => answer("files are not fetched from the network", fetch("curl -O …")),
            "sftp" | "scp" | "ssh" => {
                answer("files are not fetched from another machine", fetch("rsync -a host:… drops/"))
            }
            _ => answer("it is a URL, not a path", fetch("with a tool of that protocol")),
        };
    }
    if text == "~" || text.starts_with("~/") {
        return answer(
            "`~` is a shell's word for the home directory, and is not known here",
            format!("Write `${{HOME}}{}`.", &text[1..]),
        );
    }
    if text.starts_with('~') && text.contains('/') && !base.join(text.split('/').next().unwrap_or_default()).exists() {
        return answer("`~user` is a shell's word, and is not known here", "Write that user's directory out.".into());
    }
    let is_plain = !text.contains(['*', '?', '[', '{']);
    if text.ends_with('/') || (is_plain && base.join(text).is_dir()) {
        return answer(
            "it is a directory",
            format!(
                "Say which of its files are drops: `{}/*.vcf*`, or `{0}/**/*.vcf*` with its folders.",
                text.trim_end_matches('/')
            ),
        );
    }
    None
}
