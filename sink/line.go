package sink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"
)

// Logs hold one JSON object a line. Its last member is "c", the CRC-32C, as
// eight hex digits, of the line's bytes before `,"c":"`. So any JSON reader
// reads a log, and a torn or flipped line is told from a good one.

const (
	sumStart = `,"c":"`
	sumBytes = len(sumStart) + 8 + len(`"}`) // the end of every line, newline not counted
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// EncodeLine returns v as a line of a log, newline included. v must be a
// struct with at least one member that is written, and no member "c".
func EncodeLine(v any) ([]byte, error) {
	line, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode line: %w", err)
	}
	if len(line) < 3 || line[0] != '{' {
		return nil, fmt.Errorf("encode line: %T is no object with members", v)
	}
	line = line[:len(line)-1]
	sum := crc32.Checksum(line, castagnoli)
	return fmt.Appendf(line, sumStart+"%08x\"}\n", sum), nil
}

// DecodeLine checks a line, with or without its newline, and reads it into v.
func DecodeLine(line []byte, v any) error {
	line = bytes.TrimSuffix(line, []byte("\n"))
	body := len(line) - sumBytes
	if body < 1 || string(line[body:body+len(sumStart)]) != sumStart || string(line[len(line)-2:]) != `"}` {
		return fmt.Errorf("decode line: it does not end in its checksum")
	}
	sum, err := strconv.ParseUint(string(line[body+len(sumStart):len(line)-2]), 16, 32)
	if err != nil || uint32(sum) != crc32.Checksum(line[:body], castagnoli) {
		return fmt.Errorf("decode line: its checksum does not fit")
	}
	if err := json.Unmarshal(line, v); err != nil {
		return fmt.Errorf("decode line: %w", err)
	}
	return nil
}
