//! Pictures inside the page.

/// Standard base64 with padding (RFC 4648, section 4), for pictures inside the page.
pub(super) fn base64(bytes: &[u8]) -> String {
    ::base64::engine::Engine::encode(&::base64::engine::general_purpose::STANDARD, bytes)
}
