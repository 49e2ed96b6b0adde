package main

import (
	"bytes"
	"io"
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"github.com/ingestd/ingestd/internal/daemon"
)

// newLogger writes to w: text on a terminal, JSON elsewhere, unless format
// says which. Logging waits for nobody; stop lets what is queued be written.
func newLogger(w io.Writer, c logConfig) (log *zap.Logger, stop func(), err error) {
	level, err := zapcore.ParseLevel(c.Level)
	if err != nil {
		return nil, nil, err
	}
	encoding := zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", MessageKey: "msg", LineEnding: "\n",
		EncodeLevel:    zapcore.LowercaseLevelEncoder,
		EncodeTime:     zapcore.RFC3339NanoTimeEncoder,
		EncodeDuration: zapcore.StringDurationEncoder,
	}
	encoder := zapcore.NewJSONEncoder(encoding)
	if c.Format == "text" || c.Format == "auto" && isTerminal(w) {
		encoding.EncodeTime = func(t time.Time, out zapcore.PrimitiveArrayEncoder) {
			out.AppendString(t.UTC().Format("15:04:05.000Z"))
		}
		encoder = zapcore.NewConsoleEncoder(encoding)
	}
	queue := daemon.NewLogQueue(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(plain{w})), level))
	return zap.New(queue), queue.Start(), nil
}

// plain writes text without what moves a cursor, colours or turns the line round:
// a name of a file or a device may hold anything.
type plain struct{ io.Writer }

func (p plain) Write(b []byte) (int, error) {
	if _, err := p.Writer.Write(bytes.Map(plainRune, b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

func plainRune(r rune) rune {
	if r == '\n' || r == '\t' {
		return r
	}
	return printable(r)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
