"""What must hold when everybody has been quiet for a while."""

from collections.abc import Iterable

from actors.messages.caller import Close, ConfigAck, Error, Notice, SpeechStarted, SpeechStopped, Transcript
from tests.simulation.caller import Caller, Said
from tests.simulation.model import Model
from tests.simulation.world import Answer, World


def check_end(world: World, callers: Iterable[Caller], model: Model, draining: bool) -> None:
    """Nobody who left still has a session; who stayed has had all that was owed."""
    for caller in callers:
        _check_close(world, caller)
        if caller.gone and caller.session and caller.session.is_alive():
            world.wrong(f"the session of {caller.ear.name} is still there")
        if caller.network and caller.network.up and not caller.gone and caller.network.read != caller.network.texts:
            world.wrong(f"{caller.ear.name} has {caller.network.read} text frames of {caller.network.texts}")
        if not caller.bombed:
            _check_care(world, caller, model, draining)
        if not caller.gone and not draining:
            _check_quiet(world, caller, model)


def _check_close(world: World, caller: Caller) -> None:
    """Nobody is put out of a call but for the reason that there is."""
    closed = caller.ear.closed
    if closed and closed.code == 4500 and not caller.bombed:
        world.wrong(f"{caller.ear.name} failed, and nobody crashed anything of it")


def _check_care(world: World, caller: Caller, model: Model, draining: bool) -> None:
    """Who stayed has heard what they must hear, and every connection since a sign was told of it."""
    ear, links = caller.ear, [link for link in model.links if link.call == caller.call]
    ear.care.check_prompts(links)
    serving = [link for link in links if link.updated and not link.ended]
    if not (caller.gone or draining or ear.closed) and serving:
        ear.care.check(
            serving, disclosed=not ear.care.owner.caring.leave_out_disclosure and bool(_acknowledged(caller))
        )


def _check_quiet(world: World, caller: Caller, model: Model) -> None:
    ear, name = caller.ear, caller.ear.name
    if open_ := [response for response, status in ear.started.items() if not status]:
        world.wrong(f"{name}: {open_} never ended")
    if not caller.did:
        return
    last, what = caller.did[-1]
    excused = any(at >= last and _excuses(message) for at, message in ear.told)
    if excused or ear.closed:
        return
    if any(isinstance(message, Error) and message.code == "persona_switch_failed" for _, message in ear.told):
        return  # who is on the line is not who was chosen last
    acknowledged = caller.wish in _acknowledged(caller)
    if what == "chose" and acknowledged and not ear.greeted() and caller.spoke_at < last:
        world.wrong(f"{name}: {caller.wish} has not greeted")
    if what in ("typed", "spoke", "recorded"):
        said = _last(caller)
        links = [link for link in model.links if link.user == caller.user]
        # What is spoken before a greeting, or into a line that is dead and has not told, cannot be kept.
        missed = any(max(link.greeted_at, link.dead_until) > said.at for link in links)
        # Nor can what did not reach the model as it was said.
        garbled = world.garbled or (caller.garbled and said.kind == "stream")
        if not (said.kind == "stream" and missed) and not garbled:
            _check_answered(world, caller, said)


def _check_whole(world: World, caller: Caller, answer: Answer) -> None:
    """What one connection began another brought to its end; of less than a word nothing can go on."""
    ear, heard = caller.ear, caller.ear.answers.last[answer.name]
    begun = heard.word.index or heard.whole
    if begun and not ear.heard_to_the_end(list(answer.words), answer.name):
        world.wrong(f"{ear.name}: {answer} was not heard to its end")


def _excuses(message: object) -> bool:
    return isinstance(message, Error | Close) or (isinstance(message, Notice) and message.code == "say_again")


def _acknowledged(caller: Caller) -> set[str]:
    return {message.astrologer_id for _, message in caller.ear.told if isinstance(message, ConfigAck)}


def _last(caller: Caller) -> Said:
    """What was said last, as the model heard it: what was spoken may have been on its way when something was typed."""
    said, told = caller.said[-1], caller.ear.told
    if not any(at >= said.at for at, message in told if isinstance(message, SpeechStarted | SpeechStopped)):
        return said
    heard = [message.text for _, message in told if isinstance(message, Transcript) and message.role == "user"]
    last = heard[-1].split()[-1].rstrip("~") if heard else ""
    known = (other for other in caller.said if not any(at >= other.at and _excuses(message) for at, message in told))
    return next((other for other in known if last in other.words), said)


def _check_answered(world: World, caller: Caller, said: Said) -> None:
    """The last thing that was said was understood whole, and the answer to it was heard to its end."""
    ear = caller.ear
    if not caller.wish or caller.wish == "nobody":
        return
    answers = [world.answers[name] for name in ear.answers.last if name in world.answers]
    mine = [answer for answer in answers if set(said.words) <= answer.turns]
    if not mine:
        world.wrong(f"{ear.name}: {said} was not answered; heard were {answers}")
    for answer in mine:
        if answer.name not in ear.answers.closed:
            _check_whole(world, caller, answer)
