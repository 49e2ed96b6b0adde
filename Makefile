# Each target is one command, and sets up what it needs: see scripts/setup.
# MICROPHONES=yes|no|auto says whether PortAudio must, may not or may be used.
# NEED=REGEXP lists reasons for which no test may be left out.

NEED        =
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    = 10s
STRESS      = 60s
VERSION     = $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

# what scripts/setup found out: PATH, CGO_ENABLED, GOFLAGS
ENV = . ./.tools/env

# the race detector's pointer check dies in PortAudio's binding, in code that is right
RACE = -race -gcflags=github.com/gordonklaus/portaudio=-d=checkptr=0

.PHONY: build demo cold test race chaos stress naive mutants fuzz lint day bench bench-ring alerts unit setup setup-test clean help

## build   bin/ingestd
build: setup
	@test -e bin/ingestd || echo "build   bin/ingestd (about a minute the first time)"
	@$(ENV); go build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/ingestd ./cmd/ingestd

## demo    a built-in recording as two sensors, through everything; Ctrl-C ends it
demo: build
	@bin/ingestd demo

## cold    make demo in a fresh clone with an empty build cache: sound within 60 s
cold: setup
	@scripts/cold-demo

## test    all the tests; says at the end what was left out, and why
test: setup-test
	@$(ENV); go vet ./...
	@$(ENV); go test -timeout 8m -json ./... | go run ./test/report $(if $(NEED),-need "$(NEED)")
	@cat .tools/without

## race    the packages under the race detector; needs a C compiler. The tests of
##         the whole program start an ordinary binary and measure it, so not those
race: setup-test
	@$(ENV); go test -timeout 15m $(RACE) $$(go list ./... | grep -v /test/)

## chaos   the ring: whole operations of one side between any two steps of the other
chaos: setup
	@$(ENV); go test -count=1 -tags chaos ./buffer ./reader

## stress  the ring under the race detector: 20 times, then STRESS flat out
stress: setup
	@$(ENV); go test -count=20 -timeout 30m $(RACE) ./buffer ./reader
	@$(ENV); INGESTD_STRESS=$(STRESS) go test -count=1 -timeout 30m -v -run FlatOut $(RACE) ./reader

## naive   the obvious ring, which the race detector must report
naive: setup
	@$(ENV); scripts/naive

## mutants seeded bugs in the ring, its readers and the clocks: each must be caught; a quarter of an hour
mutants: setup
	@$(ENV); go test -count=1 -tags mutants -timeout 60m -v ./test/mutants

## fuzz    every fuzz target in turn, FUZZTIME each
fuzz: setup
	@$(ENV); scripts/fuzz $(FUZZTIME)

## lint    gofmt, vet, staticcheck, and the house rules
lint: setup
	@$(ENV); bad=$$(gofmt -l .); test -z "$$bad" || { echo "not formatted: $$bad"; exit 1; }
	@$(ENV); go vet ./...
	@$(ENV); go run $(STATICCHECK) ./...
	@$(ENV); go test ./internal/lint

## day     24 hours of four sensors of real rates, replayed over midnight; some minutes
day: setup
	@$(ENV); go test -count=1 -tags day -timeout 30m -v -run ADayIsCut ./internal/daemon

## bench   beside cp and sox, then every benchmark once; compare ratios within one run only
bench: setup
	@$(ENV); go test -count=1 -tags bench -v -run . ./test/bench
	@$(ENV); go test -run '^$$' -bench . -benchmem ./...

## bench-ring  the ring beside what could stand in its place, in 5 minutes;
##         INGESTD_BENCH=short takes 40 s
bench-ring: setup
	@$(ENV); go test -count=1 -tags bench -v -run . ./test/ring

## alerts  promtool over the alert rules and their tests
alerts: setup-test
	@$(ENV); cd deploy && promtool check rules alerts.yml && promtool test rules alerts.test.yml

## unit    systemd-analyze over the unit
unit: setup-test
	@$(ENV); go test -v -run Unit ./deploy

setup:
	@scripts/setup

setup-test:
	@scripts/setup test

## clean   removes what was built and what the demo recorded
clean:
	rm -rf bin var .tools

help:
	@sed -n 's/^## //p' Makefile
