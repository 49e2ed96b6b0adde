// Package line encodes and checks the lines of logs. Logs hold one JSON object a
// line. Its last member is "c", the CRC-32C, as eight hex digits, of the line's
// bytes before `,"c":"`. So any JSON reader reads a log, and a torn or flipped
// line is told from a good one.
package line

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"
)

const (
	sumStart = `,"c":"`
	sumBytes = len(sumStart) + 8 + len(`"}`) // the end of every line, newline not counted
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode returns v as a line of a log, newline included. v must be a
// struct with at least one member that is written, and no member "c".
func Encode(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode line: %w", err)
	}
	if len(text) < 3 || text[0] != '{' {
		return nil, fmt.Errorf("encode line: %T is no object with members", v)
	}
	text = text[:len(text)-1]
	sum := crc32.Checksum(text, castagnoli)
	return fmt.Appendf(text, sumStart+"%08x\"}\n", sum), nil
}

// Decode checks a line, with or without its newline, and reads it into v.
func Decode(text []byte, v any) error {
	text = bytes.TrimSuffix(text, []byte("\n"))
	body := len(text) - sumBytes
	if body < 1 || string(text[body:body+len(sumStart)]) != sumStart || string(text[len(text)-2:]) != `"}` {
		return fmt.Errorf("decode line: it does not end in its checksum")
	}
	sum, err := strconv.ParseUint(string(text[body+len(sumStart):len(text)-2]), 16, 32)
	if err != nil || uint32(sum) != crc32.Checksum(text[:body], castagnoli) {
		return fmt.Errorf("decode line: its checksum does not fit")
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("decode line: %w", err)
	}
	return nil
}
