import FoundationEssentials

/// The server's clock in microseconds UTC.
func serverClock() -> Int64 { Int64((Date().timeIntervalSince1970 * 1_000_000).rounded(.down)) }
