import Foundation
import Objects
import S3Objects

// Puts objects into a store until it is stopped, or told to fail: a process that tests kill.
//
//   StoreTrial DIRECTORY loop SEED      objects of many sizes, one after the other
//   StoreTrial DIRECTORY kill N         the same, killed in front of the N-th system call (in a debug build)
//   StoreTrial DIRECTORY limit BYTES    one object of 1 MiB, where no file may be larger than that
//   StoreTrial s3://BUCKET/PREFIX file PATH
//
// Writes the digest of each object, as a line, once its put has returned.

/// Writes a line at once, so that it is out when the process is killed.
func say(_ text: Any) { FileHandle.standardOutput.write(Data("\(text)\n".utf8)) }

func content(_ number: UInt64) -> [UInt8] {
    let sizes = [0, 1, 100, 4_096, 70_000, 1 << 20, 1_500_000]
    var state = number &* 0x9E37_79B9_7F4A_7C15 | 1
    var bytes: [UInt8] = []
    while bytes.count < sizes[Int(number % UInt64(sizes.count))] {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes += Array(repeating: UInt8(truncatingIfNeeded: state >> 33), count: 1 + Int(state >> 60))
    }
    return bytes
}

func putForever(_ store: any ObjectStore, from first: UInt64) async throws {
    for number in first... {
        let encoding: ObjectEncoding = number.isMultiple(of: 2) ? .raw : .lz4
        say(try await store.put(content(number), encoding: encoding))
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 4 else {
    say("usage: StoreTrial STORE loop|kill|limit|file VALUE")
    exit(2)
}
let (location, word, value) = (arguments[1], arguments[2], arguments[3])
switch word {
case "loop":
    try await putForever(LocalObjectStore(directory: location), from: UInt64(value) ?? 0)
#if DEBUG
    case "kill":
        SystemFaults(below: location, at: Int(value) ?? 1, .kill).install()
        try await putForever(LocalObjectStore(directory: location), from: 2)
#endif
case "limit":
    var limit = rlimit(rlim_cur: UInt(value) ?? 0, rlim_max: UInt(value) ?? 0)
    // Without this the process would be killed by the signal of the limit.
    signal(SIGXFSZ, SIG_IGN)
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    let store = LocalObjectStore(directory: location)
    do {
        say(try await store.put([UInt8](repeating: 7, count: 1 << 20), encoding: .raw))
    } catch let error as ObjectError {
        say("refused: \(error)")
    }
    say(try await store.put([UInt8](repeating: 8, count: 100), encoding: .raw))
case "file":
    let store = S3ObjectStore(
        try S3Configuration(location: location, environment: ProcessInfo.processInfo.environment)
    )
    say(try await store.putFile(at: value, encoding: .raw).digest)
default:
    say("there is no '\(word)'")
    exit(2)
}
