import ArgumentParser
import Features
import Foundation
import Lockstep
import Objects
import Postgres

/// A check that did not pass; its message has been printed.
struct CheckFailed: Error {}

/// What the user asked cannot be done as it was asked.
struct UsageError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The one place where errors become exit codes.
enum ExitCodes {
    static let checkFailed: Int32 = 1
    static let usage: Int32 = 2
    static let unreachable: Int32 = 3
    static let refused: Int32 = 4

    static func code(_ error: any Error) -> Int32 {
        switch error {
        case is CheckFailed: checkFailed
        case ClientError.unreachable, ClientError.timedOut: unreachable
        case ClientError.refused: refused
        case let error as PostgresError where error.code == .connectionFailed: unreachable
        // What is pinned and what is there differ: a check that failed.
        case is LockError, is PinError, is ObjectError: checkFailed
        default: usage
        }
    }

    static func end(_ error: any Error) -> Never {
        if error is CheckFailed { exit(checkFailed) }
        let parsing = LockstepCommand.exitCode(for: error)
        if parsing == .success {
            print(LockstepCommand.fullMessage(for: error))
            exit(0)
        }
        if parsing == .validationFailure {
            Terminal.error(LockstepCommand.fullMessage(for: error))
            exit(usage)
        }
        Terminal.error("error: \(error)")
        exit(code(error))
    }
}
