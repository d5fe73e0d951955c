import Columns
import Testing

/// Bitmaps against arrays of booleans.
@Suite struct BitmapTests {
    private func bits(_ bitmap: Bitmap) -> [Bool] { (0..<bitmap.count).map { bitmap[$0] } }

    private func hasCleanTail(_ bitmap: Bitmap) -> Bool {
        let used = bitmap.count & 63
        guard bitmap.words.count == (bitmap.count + 63) / 64 else { return false }
        return used == 0 || (bitmap.words.last ?? 0) >> UInt64(used) == 0
    }

    @Test(arguments: [0, 1, 63, 64, 65, 127, 128, 129, 200]) func appendsSetsAndCounts(count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        var naive: [Bool] = []
        var bitmap = Bitmap()
        for _ in 0..<count {
            let bit = Bool.random(using: &generator)
            naive.append(bit)
            bitmap.append(bit)
        }
        #expect(bits(bitmap) == naive)
        for _ in 0..<count {
            let row = Int.random(in: 0..<count, using: &generator)
            naive[row].toggle()
            bitmap[row] = naive[row]
        }
        #expect(bits(bitmap) == naive)
        #expect(bitmap.setCount == naive.count { $0 })
        #expect(hasCleanTail(bitmap))
        #expect(Bitmap(words: bitmap.words, count: count) == bitmap)
    }

    @Test(arguments: [0, 1, 63, 64, 65, 128]) func repeatedBits(count: Int) {
        for bit in [false, true] {
            let bitmap = Bitmap(repeating: bit, count: count)
            #expect(bits(bitmap) == [Bool](repeating: bit, count: count))
            #expect(hasCleanTail(bitmap))
            var appended = Bitmap()
            appended.append(repeating: bit, count: count)
            #expect(appended == bitmap)
        }
    }

    @Test func wordsLoseTheBitsPastTheCount() {
        let bitmap = Bitmap(words: [~0, ~0], count: 65)
        #expect(bitmap.words == [~0, 1])
        #expect(bitmap.setCount == 65)
        #expect(bitmap == Bitmap(repeating: true, count: 65))
    }

    @Test(arguments: 0..<8 as Range<UInt64>) func intersectionIsRowWise(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 0...150, using: &generator)
        var (left, right) = (Bitmap(), Bitmap())
        for _ in 0..<count {
            left.append(Bool.random(using: &generator))
            right.append(Bool.random(using: &generator))
        }
        #expect(bits(left.intersection(right)) == zip(bits(left), bits(right)).map { $0 && $1 })
        let (some, none): (Bitmap?, Bitmap?) = (left, nil)
        #expect(some.intersection(right) == left.intersection(right))
        #expect(some.intersection(none) == left)
        #expect(none.intersection(some) == left)
        #expect(none.intersection(none) == nil)
    }

    @Test func validityAllocatesNothingUntilTheFirstNull() {
        var builder = ValidityBuilder()
        for _ in 0..<70 { builder.append(true) }
        #expect(builder.finish() == nil)
        builder.append(false)
        builder.append(true)
        let bitmap = builder.finish()
        #expect(builder.count == 72)
        #expect(bitmap?.count == 72)
        #expect(bitmap?.setCount == 71)
        #expect(bitmap?[70] == false)
    }

    @Test func wrongShapesStopTheProgram() async {
        await #expect(processExitsWith: .failure) { _ = Bitmap(words: [0], count: 65) }
        await #expect(processExitsWith: .failure) {
            _ = Bitmap(repeating: true, count: 3).intersection(Bitmap(repeating: true, count: 4))
        }
        await #expect(processExitsWith: .failure) {
            var bitmap = Bitmap(repeating: true, count: 3)
            bitmap[3] = true
        }
    }
}
