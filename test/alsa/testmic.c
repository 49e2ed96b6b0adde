//go:build ignore

// testmic is an ALSA plug-in that plays the part of a microphone in tests. It
// needs no sound card and no server: a timer paces it. The sound of signal
// "clock" says when it was captured: frame i of channel c is i + c*2^(bits-4),
// where i is CLOCK_MONOTONIC times the rate at the first start and is counted
// from there by the clock of the device, lost frames included.
//
// The build constraint above keeps the go command from compiling this file.

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct mic {
	snd_pcm_ioplug_t io;
	long rate, channels, xrun_every, open_errno, open_ms;
	snd_pcm_format_t format;
	double speed;
	char dir[1024];        // where the fault files are looked for; empty: nowhere
	unsigned char *sound;  // of signal "file", else NULL
	uint64_t sound_frames;
	int zero, begun;
	int64_t first_ns;      // the first start
	uint64_t first_frame;  // the signal at that time
	int64_t stalled_ns, stall_ns; // time taken out so far; begin of the stall that lasts, or 0
	uint64_t start_frame;  // the signal at the last start
};

static int64_t now_ns(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int fault(struct mic *m, const char *name) {
	char path[1100];
	if (!m->dir[0]) return 0;
	snprintf(path, sizeof path, "%s/%s", m->dir, name);
	return access(path, F_OK) == 0;
}

// hang is a driver that does not return.
static void hang(struct mic *m) {
	while (fault(m, "hang")) usleep(1000);
}

// signal_now is how far the clock of the device has counted.
static uint64_t signal_now(struct mic *m) {
	int64_t now = now_ns();
	if (fault(m, "stall")) {
		if (!m->stall_ns) m->stall_ns = now;
		now = m->stall_ns;
	} else if (m->stall_ns) {
		m->stalled_ns += now - m->stall_ns;
		m->stall_ns = 0;
	}
	return m->first_frame + (uint64_t)((double)(now - m->first_ns - m->stalled_ns) * 1e-9 * m->rate * m->speed);
}

static int mic_prepare(snd_pcm_ioplug_t *io) {
	return fault(io->private_data, "gone") ? -ENODEV : 0;
}

static int mic_start(snd_pcm_ioplug_t *io) {
	struct mic *m = io->private_data;
	hang(m);
	if (fault(m, "gone")) return -ENODEV;
	if (!m->begun) {
		m->begun = 1;
		m->first_ns = now_ns();
		m->first_frame = (uint64_t)(m->first_ns / 1000000000) * m->rate +
			(uint64_t)(m->first_ns % 1000000000) * m->rate / 1000000000;
		if (m->sound) m->first_frame = 0;
		m->start_frame = m->first_frame; // not a frame later, however long it took to get here
	} else {
		m->start_frame = signal_now(m);
	}
	double period = io->period_size / (m->rate * m->speed);
	struct itimerspec t = {0};
	t.it_interval.tv_sec = (time_t)period;
	t.it_interval.tv_nsec = (long)((period - (time_t)period) * 1e9) + 1;
	t.it_value = t.it_interval;
	return timerfd_settime(io->poll_fd, 0, &t, NULL) < 0 ? -errno : 0;
}

static int mic_stop(snd_pcm_ioplug_t *io) {
	struct itimerspec t = {0};
	timerfd_settime(io->poll_fd, 0, &t, NULL);
	return 0;
}

static snd_pcm_sframes_t mic_pointer(snd_pcm_ioplug_t *io) {
	struct mic *m = io->private_data;
	hang(m);
	if (fault(m, "gone")) return -ENODEV;
	uint64_t at = signal_now(m) - m->start_frame;
	if (at > io->appl_ptr + io->buffer_size) return -EPIPE;
	if (m->xrun_every && at >= (uint64_t)m->xrun_every) return -EPIPE;
	return at % io->buffer_size;
}

static void put(struct mic *m, unsigned char *to, uint64_t frame, unsigned channel) {
	int bytes = snd_pcm_format_physical_width(m->format) / 8;
	if (m->zero) {
		memset(to, 0, bytes);
	} else if (m->sound) {
		memcpy(to, m->sound + ((frame % m->sound_frames) * m->channels + channel) * bytes, bytes);
	} else if (m->format == SND_PCM_FORMAT_FLOAT_LE) {
		float f = (float)((frame + ((uint64_t)channel << 20)) & 0xffffff) / 16777216.0f;
		memcpy(to, &f, 4);
	} else {
		uint64_t v = frame + ((uint64_t)channel << (8 * bytes - 4));
		for (int i = 0; i < bytes; i++) to[i] = (unsigned char)(v >> (8 * i));
	}
}

static snd_pcm_sframes_t mic_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
		snd_pcm_uframes_t offset, snd_pcm_uframes_t size) {
	struct mic *m = io->private_data;
	if (fault(m, "gone")) return -ENODEV;
	m->zero = fault(m, "zero");
	// Mapped, offset is a place in the device's buffer, which may be asked
	// for more than once; else it is a place in the caller's.
	uint64_t frame = m->start_frame + io->appl_ptr;
	if (io->access == SND_PCM_ACCESS_MMAP_INTERLEAVED)
		frame += (offset + io->buffer_size - io->appl_ptr % io->buffer_size) % io->buffer_size;
	for (snd_pcm_uframes_t i = 0; i < size; i++)
		for (unsigned c = 0; c < io->channels; c++)
			put(m, (unsigned char *)areas[c].addr + (areas[c].first + areas[c].step * (offset + i)) / 8, frame + i, c);
	return size;
}

static int mic_revents(snd_pcm_ioplug_t *io, struct pollfd *fd, unsigned n, unsigned short *revents) {
	struct mic *m = io->private_data;
	uint64_t ticks;
	(void)n;
	hang(m);
	if (fd->revents & POLLIN && read(io->poll_fd, &ticks, sizeof ticks) < 0 && errno != EAGAIN) return -errno;
	if (fault(m, "gone")) {
		*revents = POLLERR;
		return 0;
	}
	uint64_t at = signal_now(m) - m->start_frame;
	*revents = at >= io->appl_ptr + io->period_size ? POLLIN : 0;
	return 0;
}

static int mic_close(snd_pcm_ioplug_t *io) {
	struct mic *m = io->private_data;
	if (io->poll_fd >= 0) close(io->poll_fd);
	free(m->sound);
	free(m);
	return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
	.start = mic_start, .stop = mic_stop, .pointer = mic_pointer, .transfer = mic_transfer,
	.prepare = mic_prepare, .poll_revents = mic_revents, .close = mic_close,
};

static int load(struct mic *m, const char *path) {
	struct stat s;
	FILE *f = fopen(path, "rb");
	size_t frame = m->channels * snd_pcm_format_physical_width(m->format) / 8;
	if (!f || fstat(fileno(f), &s) < 0 || s.st_size < (off_t)frame || !(m->sound = malloc(s.st_size)) ||
	    fread(m->sound, 1, s.st_size, f) != (size_t)s.st_size) {
		if (f) fclose(f);
		return -EINVAL;
	}
	fclose(f);
	m->sound_frames = s.st_size / frame;
	return 0;
}

static int constrain(struct mic *m) {
	unsigned access[] = { SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_ACCESS_MMAP_INTERLEAVED }, format = m->format;
	snd_pcm_ioplug_t *io = &m->io;
	int err = 0;
	if (!err) err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 2, access);
	if (!err) err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, &format);
	if (!err) err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, m->channels, m->channels);
	if (!err) err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, m->rate, m->rate);
	if (!err) err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 64, 1 << 18);
	if (!err) err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 64);
	if (!err) err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 256, 1 << 20);
	return err;
}

// parse reads one key of the configuration; file is set to that of signal "file".
static int parse(struct mic *m, snd_config_t *n, const char **file) {
	const char *id, *text = NULL;
	if (snd_config_get_id(n, &id) < 0) return -EINVAL;
	if (!strcmp(id, "type") || !strcmp(id, "comment") || !strcmp(id, "hint")) return 0;
	if (!strcmp(id, "rate")) return snd_config_get_integer(n, &m->rate);
	if (!strcmp(id, "channels")) return snd_config_get_integer(n, &m->channels);
	if (!strcmp(id, "xrun_every")) return snd_config_get_integer(n, &m->xrun_every);
	if (!strcmp(id, "open_errno")) return snd_config_get_integer(n, &m->open_errno);
	if (!strcmp(id, "open_ms")) return snd_config_get_integer(n, &m->open_ms);
	if (!strcmp(id, "speed")) return snd_config_get_ireal(n, &m->speed);
	if (snd_config_get_string(n, &text) < 0 || !text) return -EINVAL;
	if (!strcmp(id, "format")) return (m->format = snd_pcm_format_value(text)) == SND_PCM_FORMAT_UNKNOWN ? -EINVAL : 0;
	if (!strcmp(id, "signal")) return strcmp(text, "clock") && strcmp(text, "file") ? -EINVAL : 0;
	if (!strcmp(id, "file")) return *file = text, 0;
	if (!strcmp(id, "dir")) return snprintf(m->dir, sizeof m->dir, "%s", text) >= (int)sizeof m->dir ? -EINVAL : 0;
	SNDERR("testmic: unknown key %s", id);
	return -EINVAL;
}

SND_PCM_PLUGIN_DEFINE_FUNC(testmic) {
	snd_config_iterator_t i, next;
	const char *file = NULL;
	int err = 0;
	(void)root;
	if (stream != SND_PCM_STREAM_CAPTURE) return -EINVAL;
	struct mic *m = calloc(1, sizeof *m);
	if (!m) return -ENOMEM;
	m->rate = 48000, m->channels = 1, m->format = SND_PCM_FORMAT_S32_LE, m->speed = 1;
	snd_config_for_each(i, next, conf) if (!err) err = parse(m, snd_config_iterator_entry(i), &file);
	if (!err && (m->rate < 1 || m->channels < 1 || m->speed <= 0)) err = -EINVAL;
	if (!err && file) err = load(m, file);
	if (!err && m->open_ms) usleep(m->open_ms * 1000);
	if (!err && m->open_errno) err = -(int)m->open_errno;
	if (!err && fault(m, "gone")) err = -ENODEV;
	if (!err && fault(m, "busy")) err = -EBUSY;
	m->io.poll_fd = -1;
	if (!err && (m->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) < 0) err = -errno;
	if (err) {
		mic_close(&(snd_pcm_ioplug_t){ .private_data = m, .poll_fd = -1 });
		return err;
	}
	m->io.version = SND_PCM_IOPLUG_VERSION;
	m->io.name = "testmic";
	m->io.poll_events = POLLIN;
	m->io.callback = &callbacks;
	m->io.private_data = m;
	if ((err = snd_pcm_ioplug_create(&m->io, name, stream, mode)) < 0) {
		mic_close(&m->io);
		return err;
	}
	if ((err = constrain(m)) < 0) {
		snd_pcm_ioplug_delete(&m->io);
		return err;
	}
	*pcmp = m->io.pcm;
	return 0;
}

SND_PCM_PLUGIN_SYMBOL(testmic);
