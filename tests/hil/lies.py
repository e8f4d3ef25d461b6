"""Devices with one thing wrong each, and the check that has to find it."""

import math
import re

from tests.hil.bench_device import COMM, HOLD, IDLE, MOVE, STOP, Decoder, Device, Line, Refused, make


class AnotherSessionEachTime(Device):
    def do_hi(self):
        self.session = f"{int(self.session, 16) + 1:08X}"
        return super().do_hi()


class SessionInLowerCase(Device):
    def do_hi(self):
        return super().do_hi().replace(self.session, self.session.lower())


class HidesAVerb(Device):
    def items(self):
        return [item for item in super().items() if item != "verb=CN"]


class BoastsAVerb(Device):
    def items(self):
        return [*super().items(), "verb=QX"]


class LimitsUpsideDown(Device):
    def items(self):
        return [re.sub(r"low=(\S+) high=(\S+) vmax", r"low=\2 high=\1 vmax", item) for item in super().items()]


class OneAxisTooFew(Device):
    def do_hi(self):
        return super().do_hi().replace("axes=2", "axes=3")


class AnySessionWillDo(Device):
    def do_rs(self, session):
        return super().do_rs(self.session)


class ReadsNumbersLikeAProgrammingLanguage(Device):
    def number(self, text, low, high):
        try:
            return super().number(str(int(text)), low, high)
        except ValueError:
            raise Refused("1 syntax") from None


class AnswersJunk(Device):
    def hear(self, data):
        before = self.decoder.counts.invalid
        super().hear(data)
        for _ in range(self.decoder.counts.invalid - before):
            self.say(make(b"<", 0, f"ER {self.t} 1 syntax"))


class CountsNoJunk(Device):
    def do_cn(self):
        good, _, *rest = super().do_cn().split()
        return " ".join((good, "0", *rest))


class BelievesAnyCrc(Device):
    def hear(self, data):
        for piece in re.split(rb"(?<=\n)", data):
            bad = re.fullmatch(rb"(>[0-9A-F]{2} [A-Z]{2})\*[0-9A-F]{4}\r\n", piece)
            super().hear(make(b">", int(bad[1][1:3], 16), bad[1][4:].decode()) if bad else piece)


class DoesOldRequests(Device):
    def known(self, line: Line):
        self.last = self.last if self.last and line.raw[-4:] == self.last[1] and line.sequence == self.last[0] else None
        return super().known(line)


class DoesRepeatsAgain(Device):
    def known(self, line):
        if self.last and (line.sequence, line.raw[-4:]) == self.last[:2]:
            self.decoder.counts.repeated += 1
            self.say(make(b"<", line.sequence, self.answer(line)))
            return True
        return super().known(line)


class TakesLinesTooLong(Device):
    def __post_init__(self):
        super().__post_init__()
        self.decoder = Decoder(hears=b">", plain=True, maxline=self.maxline + 1)


class TakesNoLongLines(TakesLinesTooLong):
    def __post_init__(self):
        super().__post_init__()
        self.decoder.maxline = self.maxline - 1


class TypedInAnyCase(Device):
    def hear(self, data):
        super().hear(data.upper() if self.decoder.plain and not data.startswith(b">") else data)


class AlwaysATerminal(Device):
    def hear(self, data):
        for piece in re.split(rb"(?<=[\r\n])", data):
            self.decoder.plain = True
            super().hear(piece)

    def tick(self, us):
        self.decoder.plain = True
        super().tick(us)


class TypedCyclic(Device):
    def take(self, line):
        super().take(Line(b"", 0, "ST", (), b"") if line.plain and line.verb == "SV" else line)


class Clips(Device):
    def within(self, goals):
        for i, goal in goals.items():
            goals[i] = min(max(goal, self.axes[i].low), self.axes[i].high)


class OtherLimitsThanItSays(Device):
    def within(self, goals):
        super().within({i: goal - 1 if goal > 0 else goal for i, goal in goals.items()})


class NarrowerThanItSays(Device):
    def within(self, goals):
        super().within({i: goal + 1 if goal > 0 else goal for i, goal in goals.items()})


class NoWatchdog(Device):
    def feed(self):
        pass


class LateWatchdog(Device):
    def do_wd(self, ms=None):
        said = super().do_wd(ms)
        self.fed_ms += 150.0
        return said

    def feed(self):
        super().feed()
        self.fed_ms += 150.0


class RepeatsDoNotFeed(Device):
    def take(self, line):
        fed = self.fed_ms
        super().take(line)
        if self.again(line):
            self.fed_ms = fed

    def again(self, line):
        seen, self._seen = getattr(self, "_seen", b""), line.raw
        return seen == line.raw


class CommIsNotLatched(Device):
    def do_en(self, power):
        self.state = IDLE if self.state == COMM else self.state
        return super().do_en(power)


class JunkFeeds(Device):
    def hear(self, data):
        super().hear(data)
        if self.watched:
            self.feed()


class LosesTelemetry(Device):
    def say(self, line):
        if not (line.startswith(b"~") and self.tm_count % 8 == 5):
            super().say(line)


class SlowerTelemetryThanItSays(Device):
    def do_tm(self, ms=None):
        said = super().do_tm(ms)
        self.tm_ms = self.tm_ms * 3 // 2 if ms else self.tm_ms
        return said


class TelemetryForEver(Device):
    def do_tm(self, ms=None):
        return "0" if ms == "0" and self.tm_ms else super().do_tm(ms)


class FastClock(Device):
    def __post_init__(self):
        self.rate = 1.02
        super().__post_init__()


class ClockThatJumpsBack(Device):
    @property
    def t(self):
        return self.us // 1000 % 1500


class TimePassesInLockstep(Device):
    def tick(self, us):
        super().tick(us)
        if self.lockstep and self.us % 50_000 < us:
            self.cycles += 1


class OneCycleTooMany(Device):
    def go_on(self, cycles):
        super().go_on(cycles + (cycles > 1))


class LockstepUnannounced(Device):
    def do_hi(self):
        return super().do_hi().replace("caps=ls", "caps=none")


class Radiates(Device):
    def __post_init__(self):
        self.caps = ("ar",)
        super().__post_init__()


class ArmsAtOnce(Radiates):
    def do_ar(self, nonce):
        super().do_ar(nonce)
        self.armed = True
        return str(self.flags())


class AnyNonce(Radiates):
    def do_fi(self, nonce):
        return super().do_fi(self.nonce)


class StaysAskedForEver(Radiates):
    def do_fi(self, nonce):
        self.nonce_ms = self.ms
        return super().do_fi(nonce)


class HaltDoesNotDisarm(Radiates):
    def do_ht(self):
        return self.brief()


class StopDoesNotDisarm(Radiates):
    def latch(self, state, word):
        armed = self.armed
        super().latch(state, word)
        self.armed = armed


class StopByteBreaksLines(Device):
    def hear(self, data):
        super().hear(data.replace(b"\x18", b"\x18\x01"))


class StopIsNotLatched(Device):
    def latch(self, state, word):
        super().latch(state, word)
        self.state = HOLD if state == STOP else self.state


class ResetGivesPower(Device):
    def do_rs(self, session):
        super().do_rs(session)
        self.power = True
        return self.brief()


class RelativeTargets(Device):
    def move(self, goals):
        said = super().move(goals)
        for number in goals:
            self.axes[number].goal += self.axes[number].place
        return said


class NeverDone(Device):
    def event(self, text):
        if not text.startswith("DONE"):
            super().event(text)


class FasterThanItSays(Device):
    def items(self):
        return [item.replace("vmax=20000", "vmax=1000") for item in super().items()]


class DoesNotFollow(Device):
    def do_sv(self, power, *targets):
        said = super().do_sv(power, *targets)
        for axis in self.axes:
            axis.goal = math.nan
        return said


class HaltLatches(Device):
    def do_ht(self):
        super().do_ht()
        self.state = STOP
        return self.brief()


class DoesNotHalt(Device):
    def do_ht(self):
        return self.brief()


class GoesOnAfterAStop(Device):
    def latch(self, state, word):
        goals = [axis.goal for axis in self.axes]
        super().latch(state, word)
        for axis, goal in zip(self.axes, goals, strict=True):
            axis.goal, axis.own = (goal, True) if state == self.ignored and not math.isnan(goal) else (axis.goal, axis.own)

    ignored = STOP

    def pass_time(self, ms):
        super().pass_time(ms)
        if any(not math.isnan(axis.goal) for axis in self.axes) and self.state == self.ignored:
            self.state = MOVE
            self.power = True


class GoesOnAfterSilence(GoesOnAfterAStop):
    ignored = COMM


LIES: tuple[tuple[type[Device], str], ...] = (
    (AnotherSessionEachTime, "handshake"), (SessionInLowerCase, "handshake"),
    (HidesAVerb, "self-description"), (BoastsAVerb, "self-description"), (LimitsUpsideDown, "self-description"),
    (OneAxisTooFew, "self-description"),
    (AnySessionWillDo, "session"),
    (ReadsNumbersLikeAProgrammingLanguage, "valid-lines"),
    (AnswersJunk, "junk"), (CountsNoJunk, "junk"), (BelievesAnyCrc, "junk"),
    (DoesOldRequests, "hostile-streams"),
    (TakesLinesTooLong, "long-lines"), (TakesNoLongLines, "long-lines"),
    (DoesRepeatsAgain, "repeats"),
    (TypedInAnyCase, "terminal-mode"), (AlwaysATerminal, "terminal-mode"), (AlwaysATerminal, "strict-mode"),
    (TypedCyclic, "strict-mode"),
    (OtherLimitsThanItSays, "limits"), (NarrowerThanItSays, "limits"), (Clips, "limits-with-power"),
    (NoWatchdog, "watchdog"), (LateWatchdog, "watchdog"), (RepeatsDoNotFeed, "watchdog"), (CommIsNotLatched, "watchdog"),
    (JunkFeeds, "watchdog-and-junk"),
    (LosesTelemetry, "telemetry"), (SlowerTelemetryThanItSays, "telemetry"), (TelemetryForEver, "telemetry"),
    (FastClock, "clock"), (ClockThatJumpsBack, "clock"),
    (TimePassesInLockstep, "lockstep"), (OneCycleTooMany, "lockstep"), (LockstepUnannounced, "lockstep"),
    (ArmsAtOnce, "arming-refused"), (AnyNonce, "arming-refused"), (StaysAskedForEver, "arming-refused"),
    (HaltDoesNotDisarm, "arming"), (StopDoesNotDisarm, "arming"),
    (StopByteBreaksLines, "stop-byte"), (StopIsNotLatched, "stop-byte"), (ResetGivesPower, "stop-byte"),
    (RelativeTargets, "moves"), (NeverDone, "moves"), (FasterThanItSays, "moves"),
    (DoesNotFollow, "following"), (HaltLatches, "halt"), (DoesNotHalt, "halt"),
    (GoesOnAfterAStop, "stop-in-a-move"), (GoesOnAfterSilence, "watchdog-in-a-move"),
)
