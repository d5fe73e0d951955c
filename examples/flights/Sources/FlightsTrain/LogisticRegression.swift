import CBLAS
import Glibc

/// Logistic regression by stochastic gradient descent over mini-batches.
///
/// One thread and a fixed order of batches give the same weights to the bit on one machine.
struct LogisticRegression {
    let width: Int
    private(set) var weights: [Float]
    private let decay: Float = 1e-5

    init(width: Int) {
        openblas_set_num_threads(1)
        self.width = width
        self.weights = [Float](repeating: 0, count: width)
    }

    /// The probability of each row of `inputs` (rows × `width`, row-major).
    func predict(_ inputs: [Float]) -> [Float] {
        let rows = inputs.count / width
        var scores = [Float](repeating: 0, count: rows)
        cblas_sgemv(
            CblasRowMajor,
            CblasNoTrans,
            blasint(rows),
            blasint(width),
            1,
            inputs,
            blasint(width),
            weights,
            1,
            0,
            &scores,
            1
        )
        for row in scores.indices { scores[row] = 1 / (1 + expf(-scores[row])) }
        return scores
    }

    /// One step down the gradient of the batch; returns the summed log loss before it.
    mutating func step(_ inputs: [Float], _ labels: [Bool], rate: Float) -> Double {
        let rows = labels.count
        var errors = predict(inputs)
        var loss = 0.0
        for row in 0..<rows {
            let likelihood = labels[row] ? errors[row] : 1 - errors[row]
            loss -= log(Double(max(likelihood, 1e-7)))
            if labels[row] { errors[row] -= 1 }
        }
        // weights ← (1 − rate · decay) · weights − rate / rows · inputsᵀ · errors
        cblas_sgemv(
            CblasRowMajor,
            CblasTrans,
            blasint(rows),
            blasint(width),
            -rate / Float(rows),
            inputs,
            blasint(width),
            errors,
            1,
            1 - rate * decay,
            &weights,
            1
        )
        return loss
    }
}
