/// How often, and with what pauses, a request is tried again.
///
/// The pause before the n-th repetition is random between nothing and `pause * 2^(n-1)`, at most `longestPause` ("full
/// jitter"), so that clients that failed together do not come back together.
public struct S3Retries: Sendable {
    /// Attempts of one request, the first included.
    public var attempts = 8
    public var pause = Duration.milliseconds(100)
    public var longestPause = Duration.seconds(10)
    /// How long one attempt may take.
    public var attemptLimit = Duration.seconds(120)
    /// How long one request may take with all its attempts and pauses; a download counts from the last byte that came.
    public var limit = Duration.seconds(300)

    public init() {}

    func pause(before repetition: Int) -> Duration {
        let bound = min(pause * (1 << min(repetition - 1, 20)), longestPause)
        return bound * Double.random(in: 0...1)
    }
}

/// The attempts of one request.
struct S3Attempts {
    private let retries: S3Retries
    private let end: ContinuousClock.Instant
    private var made = 1

    init(_ retries: S3Retries, until deadline: ContinuousClock.Instant? = nil) {
        self.retries = retries
        end = min(.now + retries.limit, deadline ?? .now + retries.limit)
    }

    /// How long the present attempt may take.
    var limit: Duration { max(.milliseconds(1), min(retries.attemptLimit, ContinuousClock.now.duration(to: end))) }

    /// Pauses before another attempt.
    ///
    /// - Returns: whether there is one.
    mutating func again() async throws -> Bool {
        guard made < retries.attempts else { return false }
        let pause = retries.pause(before: made)
        guard ContinuousClock.now + pause < end else { return false }
        made += 1
        try await Task.sleep(for: pause)
        return true
    }
}
