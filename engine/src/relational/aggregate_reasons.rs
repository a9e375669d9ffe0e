//! Why an aggregate's row is rejected, beside its expressions.

crate::reasons! {
    /// Reasons of `aggregate`.
    pub REASONS:
    reject CONCAT_TOO_LONG = "group_concat_too_long":
        "the text of a `group_concat` has more bytes than `group_concat_max_bytes` allows"
        => "raise `group_concat_max_bytes`, or join fewer values: DISTINCT, FILTER (WHERE …), or a `top` stage before";
}
