/// The area under the ROC curve: how often a positive scores above a negative, ties counting half.
///
/// Exact, by ranks (Mann and Whitney's U). 0.5 where one class is absent.
func areaUnderCurve(_ scores: [Float], _ outcomes: [Bool]) -> Double {
    let order = scores.indices.sorted { scores[$0] < scores[$1] }
    var rankSum = 0.0
    var start = 0
    while start < order.count {
        var end = start
        while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
        // Tied scores share the mean of their ranks, which count from one.
        let rank = Double(start + 1 + end) / 2
        rankSum += rank * Double(order[start..<end].count { outcomes[$0] })
        start = end
    }
    let positives = Double(outcomes.count { $0 })
    let negatives = Double(outcomes.count) - positives
    guard positives > 0, negatives > 0 else { return 0.5 }
    return (rankSum - positives * (positives + 1) / 2) / (positives * negatives)
}
