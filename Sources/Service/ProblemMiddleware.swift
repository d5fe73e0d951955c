import HTTPTypes
import Hummingbird
import Logging
import Wire

/// Turns every error into a problem document.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let problem = Problem(error)
            if problem.status >= 500 {
                context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            }
            let status = HTTPResponse.Status(code: problem.status, reasonPhrase: problem.title)
            // An answer to HEAD has no body: one would be read as the start of the next answer.
            if request.method == .head { return Response(status: status) }
            return .json(
                try WireCoding.encode(problem),
                status: status,
                contentType: Problem.contentType
            )
        }
    }
}
