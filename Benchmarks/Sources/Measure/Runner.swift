import Glibc

/// Does one job each time its caller asks, and reports to standard output as JSON lines.
///
/// Two runners that are asked in turn are measured under the same conditions, whatever else the machine does. The
/// first line is `{"answer": {…}}`, given when the job has been done often enough to be warm. Then for each line of
/// standard input the job is done once more and `{"ms": …}` is written; at the end of the input `{"peak_kb": …}`, the
/// most memory the process ever held.
public struct Runner {
    private let warmUps: Int

    public init(warmUps: Int = 2) { self.warmUps = warmUps }

    /// - Parameters:
    ///   - work: the job; its time is measured, the release of its output is not.
    ///   - answer: what the output says, in names and values that a peer can compute too.
    public func run<Output>(_ work: () throws -> Output, answer: (Output) throws -> [(String, String)]) throws {
        for _ in 1..<max(1, warmUps) { _ = try work() }
        let pairs = try answer(work()).map { "\(quoted($0)): \(quoted($1))" }
        report("{\"answer\": {\(pairs.joined(separator: ", "))}}")
        let clock = ContinuousClock()
        while readLine() != nil {
            let start = clock.now
            let output = try work()
            let duration = clock.now - start
            _ = consume output
            let milliseconds =
                Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) / 1e15
            report("{\"ms\": \(milliseconds)}")
        }
        report("{\"peak_kb\": \(peakKilobytes())}")
    }

    private func report(_ line: String) {
        print(line)
        fflush(nil)
    }

    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }

    /// The kernel's high-water mark of resident memory (`VmHWM`); `getrusage` also counts the parent's before `exec`.
    private func peakKilobytes() -> Int {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix("VmHWM:") { return Int(text.filter(\.isNumber)) ?? 0 }
        }
        return 0
    }
}
