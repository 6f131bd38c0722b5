"""The headers that every answer leaves with."""

HEADERS = {
    # No inline script or style and no HTML parsed from strings: text out of data cannot become code.
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'",
    "Cache-Control": "no-store",  # a cached page could show yesterday's green
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
