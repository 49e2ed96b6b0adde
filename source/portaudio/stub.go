//go:build !linux || !cgo || noportaudio

package portaudio

// built says whether this program has PortAudio.
const built = false

func versionText() string { return "" }

func (c *capture) start() *notice { return &notice{Class: other, Text: notBuilt().Error()} }

func inputs() ([]input, error) { return nil, notBuilt() }
