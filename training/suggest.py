"""Proposals for unmarked documents, by word lists and patterns: a start for an annotator, and the floor for a model.

Each label has its own labelling function, in the sense of Ratner et al., Snorkel, VLDB 2017: text in, spans out. They
know words, not meaning. What they find is to be read, mended and completed by the guidelines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from attackspan.document import Document, Link, Span
from attackspan.model.predictor import nest

Found = tuple[str, int, int]
"""A label with the offsets of its span."""

_KINDS = {
    "suicide_bombing": r"suicide (?:car |truck |vest |bomb )?(?:bombings?|attacks?|blasts?|explosions?)|bl[eo]w(?:n"
    r"|ing)? (?:himself|herself|themselves|itself) up",
    "drone_strike": r"(?:armed |suicide )?drone (?:strikes?|attacks?|raids?)",
    "airstrike": r"air ?-?(?:strikes?|raids?|attacks?)|aerial (?:bombings?|bombardments?|attacks?)|barrel bomb(?:ing"
    r"|s)? attacks?",
    "shelling": r"(?:mortar|rocket|missile|artillery|shell) (?:attacks?|strikes?|fire|barrages?)|shellings?|shelled"
    r"|bombarded",
    "bombing": r"(?:(?:car|truck|roadside|bus|train|parcel|letter|nail|pipe|twin|mosque|market|church"
    r"|hotel) )?(?:bomb(?:ing)? attacks?|bomb blasts?|bombings?|blasts?|explosions?)|bombed|detonated|blew up"
    r"|blown up|exploded|went off",
    "hostage_taking": r"kidnapp?ings?|abductions?|hijack(?:ing)?s?|kidnapp?ed|abducted|hijacked|hostage[- ]taking"
    r"|hostage siege|held hostage|taken hostage|took hostage",
    "melee": r"(?:knife|machete|axe|acid|hammer|vehicle|van|truck|car)[- ](?:ramming )?attacks?|stabbings?|stabbed"
    r"|rammed|ramming(?: attack)?s?|hacked to death|beaten to death",
    "arson_sabotage": r"arson(?: attacks?)?|firebombings?|firebombed|sabotaged?|torched|set fire to|set ablaze"
    r"|set alight",
    "assassination": r"assassination(?: attempt| plot| bid)?s?|assassinate[ds]?|attempts? on [^.,;\n]{1,40}['’]s life",
    "armed_assault": r"(?:mass |drive-by )?shootings?|gun attacks?|(?:armed |grenade )(?:attacks?|assaults?)"
    r"|ambush(?:es|ed)?|stormed|opened fire|open fire|gunned down|shot dead|shot and killed|shot at",
    "killing": r"(?:mass |revenge |targeted )?(?:killings?|murders?|massacres?|slayings?|beheadings?)|murdered"
    r"|massacred|beheaded",
    "unspecified": r"(?:terror(?:ist)? |deadly )?(?:attacks?|assaults?|raids?|strikes?)|attacked"
    r"|acts? of terror(?:ism)?|targeted",
}
_ATTACK = re.compile(r"\b(?:" + "|".join(f"(?P<{kind}>{words})" for kind, words in _KINDS.items()) + r")\b", re.I)
_NO_ATTACK = re.compile(
    r"\b(?:heart|panic|asthma|cyber|verbal|personal|shark|hacker|ransomware|counter|hunger|general|labou?r|lightning"
    r"|transport|teachers['’]?|miners['’]?|nurses['’]?|rail|police|tax|dawn|photo|film)[- ]?$",
    re.I,
)
_VALUE_WORD = re.compile(r"(?:deadly|twin)\s+", re.I)

_HEADS = (
    r"(?:police(?:men|man)?|army|military|navy|air force|government|authorities|officials?|officers?|minist(?:ry|er)"
    r"|president|premier|governor|mayor|king|troops|soldiers?|forces|guards?|militi(?:a|as|amen)|militants?|rebels?"
    r"|insurgents?|guerrillas?|gunm[ae]n|gunwoman|bombers?|attackers?|assailants?|terrorists?|extremists?"
    r"|separatists?|kidnappers?|hijackers?|suspects?|hostages?|prosecutors?|investigators?|spokes(?:man|woman|person)"
    r"|commander|general|colonel|fighters?|worshippers?|pilgrims?|convoy|patrol|embassy|consulate|ambassador|party"
    r"|front|council|union|group|network|cell)"
)
_MODIFIER = (
    r"(?:[A-Z][\w’'-]*\w|armed|masked|unidentified|unknown|suspected|alleged|security|interior|foreign|defen[cs]e"
    r"|prime|senior|local|national|federal|state|regional|provincial|riot|border|peace|suicide|lone|hooded"
    r"|heavily[- ]armed|rebel|militant|islamist|separatist|opposition|leftist|right-wing|jihadist|paramilitary"
    r"|government|army|police|military|intelligence|presidential)"
)
_NOT_FIRST = (
    r"(?!(?:The|A|An|In|On|At|By|For|From|But|And|After|When|While|Some|Two|Three|Four|Five|His|Her|Their|Its|This"
    r"|That|No)\b)"
)
_ACTOR = re.compile(rf"\b{_NOT_FIRST}(?:{_MODIFIER} ){{0,4}}(?i:{_HEADS})\b(?: (?:al-|el-|de )?[A-Z][\w’-]+\w){{0,3}}")
_SPEAKS = (
    r"(?:said|says|told|condemn\w*|denounc\w+|deplor\w+|blam\w+|accus\w+|den(?:ied|ies)|claim\w*|vow\w+|confirm\w+"
    r"|pledg\w+|urg\w+|was (?:arrested|charged|shot|killed|kidnapped|abducted|assassinated|convicted|sentenced"
    r"|accused)|is (?:accused|charged|suspected)|pleaded|faces|confessed|admitted)"
)
_NAME = rf"{_NOT_FIRST}[A-Z][\w’-]+(?: (?:al-|bin |de |van |von )?[A-Z][\w’-]+){{0,3}}"
_SPEAKER = re.compile(
    rf"(?P<before>{_NAME})(?=(?:, [^,.\n]{{3,60}},)? {_SPEAKS}\b)|\b(?:said|told|by) (?P<behind>{_NAME})"
    rf"|(?P<victim>{_NAME})(?='s? (?:assassination|murder|killing|kidnapping))"
)

_STANCES = {
    "unclaimed": r"no(?: one| ?body| group| organi[sz]ation| faction)?[^.\n]{0,40} (?:claim\w*|taken|assumed"
    r"|admitted)(?: of)? (?:responsibility|it)|no (?:immediate )?claims?(?: of responsibility)?|not been claimed"
    r"|not (?:yet |immediately )?clear who|has yet to be claimed",
    "denied": r"den(?:ied|ies|y|ying)\b[^.\n]{0,40}(?:involvement|responsibility|role|carrying|attack\w*|accusations?"
    r"|charges?|part\b)|pleaded not guilty|not behind|(?:had |has )?nothing to do with"
    r"|rejected (?:the )?(?:accusations?|claims?|allegations?)",
    "claimed": r"claim(?:s|ed|ing)? (?:the )?responsibility|claimed the (?:attack|bombing|killing|blast)s?"
    r"|took responsibility|(?:was|were) claimed by|claimed by|confess(?:ed|es) to|admitted (?:to )?(?:carrying"
    r"|killing|planting|the)",
    "charged": r"(?:charged|indicted|prosecuted|tried|on trial) (?:with|for|over|in)|arrest(?:ed"
    r"|s)?[^.\n]{0,30}(?:over|in connection|on suspicion|for the)|convicted (?:of|in|over)|sentenced|found guilty"
    r"|pleaded guilty|detained (?:over|in connection)",
    "suspected": r"suspect(?:s|ed)? (?:of|that|in|to)|suspicion (?:fell|falls|has fallen)|believed to (?:be|have)"
    r"|thought to (?:be|have)|hallmarks?|possible involvement|suspected",
    "accused": r"blam(?:e|ed|es|ing)|accus(?:e|ed|es|ing)|(?:held|hold|holds)[^.\n]{0,40} responsible|(?:was|were|is"
    r"|are) (?:behind|responsible)|mastermind\w*|attributed (?:to|the)|point\w* the finger|(?:was|were) the work of"
    r"|carried out by|linked to",
}  # fmt: skip
_STATEMENT = re.compile(
    r"\b(?:" + "|".join(f"(?P<{stance}>{words})" for stance, words in _STANCES.items()) + r")\b", re.I
)
_CONDEMNS = re.compile(
    r"\b(?:condemn(?:ed|s|ing|ation)?|denounc(?:e|ed|es|ing)|deplor(?:e|ed|es|ing)|decr(?:y|ied|ies)|slammed"
    r"|(?:outrage|revulsion) (?:at|over)|cowardly|barbari[ct]\w*|heinous|abhorrent|despicable|(?:never"
    r"|cannot) be justified)\b",
    re.I,
)
_END = re.compile(
    r"(?<=[^.\W][^.\W])[.!?](?=\s|$)|[\n;“”\"—–]| - |, (?=(?:and|but|while|as|after|saying|who|which|although|though"
    r"|when|before|adding|with|where)\b)|$"
)
_OPENER = re.compile(
    r"\s*(?:(?:and|but|that|while|as|when|so)\s+|(?:However|Meanwhile|Earlier|Later|Separately|Last \w+|(?:On|In|At"
    r"|By) [^,]{1,40}),\s+)*"
)
_TAG = re.compile(
    r",? (?:(?:he|she|it|they|police|officials|authorities|the \w+|[A-Z]\w+) (?:said|says|added)|according to [^,]*)$"
)
_EDGE = " \t\r\n\"“”'‘’,;:.!?()-—–"


def suggest(document: Document) -> Document:
    """The document with the spans, attributes and links that the rules propose; those that it had are dropped.

    Works on the labels of the default schema only.
    """
    text = document.text
    attacks = _attacks(text)
    found = [
        *(("attack", start, end) for start, end, _ in attacks),
        *_apart("actor", _actors(text)),
        *_clauses("attribution", text, _STATEMENT),
        *_clauses("condemnation", text, _CONDEMNS),
    ]
    spans = []
    kinds = {start: kind for start, _, kind in attacks}
    counts: dict[str, int] = {}
    for label, start, end, _ in nest([(*one, 1.0) for one in found]):
        start, end = _trim(text, start, end)
        if start < end:
            counts[label] = counts.get(label, 0) + 1
            span = Span(f"{label}{counts[label]}", label, start, end, text[start:end])
            spans.append(replace(span, attributes=_ATTRIBUTES[label](span, kinds) if label in _ATTRIBUTES else {}))
    return replace(document, spans=tuple(spans), links=tuple(_links(spans)))


def sureness(document: Document) -> float:
    """How sure a model is of its spans in the document: the mean of their scores, in [0, 1]; 1 where it found none."""
    scores = [span.score for span in document.spans if span.score is not None]
    return sum(scores) / len(scores) if scores else 1.0


def _attacks(text: str) -> list[tuple[int, int, str]]:
    """Offsets and kind of each attack; a general word takes the kind of the last attack told by its means."""
    found, last = [], "unspecified"
    for match in _ATTACK.finditer(text):
        if not _NO_ATTACK.search(text[max(0, match.start() - 20) : match.start()]):
            kind = str(match.lastgroup)
            last = kind if kind != "unspecified" else last
            value_word = _VALUE_WORD.match(match.group())
            found.append((match.start() + (value_word.end() if value_word else 0), match.end(), last))
    return found


def _actors(text: str) -> Iterator[tuple[int, int]]:
    """Parties named by an office or a role, then persons and states that speak or act, at each mention."""
    for match in _ACTOR.finditer(text):
        yield match.span()
    names = {name for match in _SPEAKER.finditer(text) for name in match.groups() if name}
    names |= {name.split()[-1] for name in names if " " in name}
    if names:
        listed = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        for match in re.finditer(rf"\b(?:{listed})\b", text):
            yield match.span()


def _clauses(label: str, text: str, cue: re.Pattern[str]) -> Iterator[Found]:
    """The clause around each cue; of two cues in one clause the first counts."""
    begin = 0
    for stop in _END.finditer(text):
        if stop.start() < begin:
            continue
        if cue.search(text, begin, stop.start()):
            opener = _OPENER.match(text, begin, stop.start())
            start = opener.end() if opener else begin
            tag = _TAG.search(text, start, stop.start())
            start, end = _trim(text, start, tag.start() if tag else stop.start())
            if start < end:
                yield label, start, end
        begin = stop.end()


def _apart(label: str, ranges: Iterator[tuple[int, int]]) -> Iterator[Found]:
    """The ranges without those that overlap a longer one."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(ranges, key=lambda one: (one[0] - one[1], one[0])):
        if all(end <= other_start or other_end <= start for other_start, other_end in kept):
            kept.append((start, end))
            yield label, start, end


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The range without white space and punctuation at its ends."""
    while start < end and text[start] in _EDGE:
        start += 1
    while start < end and text[end - 1] in _EDGE:
        end -= 1
    return start, end


def _stance(span: Span, _: dict[int, str]) -> dict[str, str]:
    match = _STATEMENT.search(span.text)
    return {"stance": str(match.lastgroup) if match else "accused"}  # the cue may have been cut off with a crossing


_ATTRIBUTES: dict[str, Callable[[Span, dict[int, str]], dict[str, str]]] = {
    "attack": lambda span, kinds: {"kind": kinds.get(span.start, "unspecified")},
    "attribution": _stance,
}


@dataclass(frozen=True, slots=True)
class _Around:
    """The spans of one label seen from a statement: those in it, and the nearest before it."""

    inside: list[Span]
    before: list[Span]

    @classmethod
    def of(cls, statement: Span, label: str, spans: Sequence[Span]) -> _Around:
        same = [span for span in spans if span.label == label]
        inside = [span for span in same if statement.start <= span.start and span.end <= statement.end]
        return cls(inside, [span for span in same if span.end <= statement.start][-1:])


def _links(spans: Sequence[Span]) -> Iterator[Link]:
    for span in spans:
        if span.label not in ("attribution", "condemnation"):
            continue
        attacks, actors = _Around.of(span, "attack", spans), _Around.of(span, "actor", spans)
        for attack in (attacks.inside or attacks.before)[:1]:
            yield Link("attack", span.id, attack.id)
        if span.label == "condemnation":
            for actor in (actors.inside or actors.before)[:1]:
                yield Link("by", span.id, actor.id)
            continue
        stance = span.attributes["stance"]
        first = (actors.inside or actors.before)[:1]
        if stance in ("claimed", "denied"):
            parties = {"perpetrator": first, "source": first}
        elif stance in ("accused", "suspected"):
            parties = {"source": first if len(actors.inside) > 1 else [], "perpetrator": actors.inside[-1:]}
        else:
            parties = {"perpetrator": first if stance == "charged" else []}
        for role, tails in parties.items():
            for tail in tails:
                yield Link(role, span.id, tail.id)
