// The layout of the term dictionary: one per segment, for all its fields. A key is the field's ordinal
// (u32, big-endian) followed by the term's bytes; keys strictly rise, byte-wise.
//
// Section `termBlocks`: blocks of 32 terms (the last one shorter), one after another:
//
//     varint      offset of the block's first list in section `postings`
//     then per term
//     varint      bytes shared with the key before (0 for the first)
//     varint      bytes that follow
//     ...         those bytes
//     varint      docFreq << 3 | positions kept << 2 | frequencies kept << 1 | inline
//     varint      totalTermFreq - docFreq, when frequencies are kept
//     varint      bytes of the postings
//     varint      bytes of the positions, when kept
//     ...         postings and positions, when inline; else they lie one after another in section `postings`,
//                 term after term
//
// Section `termIndex`:
//
//     offset      size   field
//     0           4      n: blocks
//     4           4      terms per block (32)
//     8           8      terms in all
//     16          8 n+8  where each block begins in `termBlocks`; last, where the section ends
//     ...         4 n+4  where each separator begins, from the first separator
//     ...         ...    separators: a key above the last of the block before, and not above the block's first; as
//                        short as that allows
//
// Format page: docs/formats/term-dictionary.md.

package enum TermDictionaryFormat {
    package static let blockTerms = 32
    /// Of a key: Lucene's bound on terms, and the field's ordinal.
    package static let keyMax = 32_766 + 4
}

/// The key's head: fields sort by ordinal.
func fieldKey(_ field: UInt32) -> [UInt8] {
    [UInt8(field >> 24), UInt8(field >> 16 & 0xFF), UInt8(field >> 8 & 0xFF), UInt8(field & 0xFF)]
}
