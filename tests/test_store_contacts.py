"""Contacts are the components of a plain graph: conversations that share an identity, however they came in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from grader.model import Contact, Conversation, Identity, Message, Role
from grader.people import Key, Keyring, People, normalise
from grader.store import Store, open_store

numbered = count()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all: every example has names of its own."""
    folder = tmp_path_factory.mktemp("contacts")
    with open_store(
        folder / "grader.duckdb", people=People(Keyring(folder / "identity.key"), barred_above=BAR)
    ) as opened:
        yield opened


def take(store: Store, shown: Mapping[str, Sequence[Identity]], ingest_id: str | None = None) -> None:
    store.add([
        (Conversation(conversation_id=key, contact=Contact(identities=tuple(identities)),
                      messages=(Message(role=Role.CUSTOMER, text="hi"),)), None, None)
        for key, identities in shown.items()
    ], ingest_id)  # fmt: skip


def ids(*numbers: int, name: str) -> list[Identity]:
    return [Identity(kind="customer_id", value=f"{name}-{n}") for n in numbers]


def partition(store: Store, keys: Sequence[str]) -> set[frozenset[str]]:
    found: dict[str, set[str]] = {}
    for key, contact in store.rows(
        "select conversation_id, contact_id from conversation where conversation_id in (select unnest(?))", [list(keys)]
    ):
        found.setdefault(contact or f"nobody {key}", set()).add(key)
    return {frozenset(members) for members in found.values()}


def components(shown: Mapping[str, Sequence[int]]) -> set[frozenset[str]]:
    """Union-find in its plainest form: colour everything that can be reached."""
    groups: list[tuple[set[str], set[int]]] = []
    for key, numbers in shown.items():
        members, seen = {key}, set(numbers)
        apart = []
        for group in groups:
            if group[1] & seen:
                members |= group[0]
                seen |= group[1]
            else:
                apart.append(group)
        groups = [*apart, (members, seen)]
    return {frozenset(members) for members, _ in groups}


BAR = 2  # contacts that may share an identity in these tests


def key_of(store: Store) -> Key:
    return store._people.keyring.key(None)


def by_hand(store: Store, shown: Mapping[str, Sequence[Identity]]) -> tuple[dict[str, str | None], set[str]]:
    """The contact of each conversation and the barred hashes, by the definition, from nothing."""
    key = key_of(store)
    pairs: dict[str, set[tuple[str, str]]] = {
        name: {(p[0], key.hash(*p)) for i in identities if (p := normalise(i))} for name, identities in shown.items()
    }
    beside: dict[str, dict[str, set[str]]] = {}
    for all_of_it in pairs.values():
        for kind, value in all_of_it:
            for other_kind, other in all_of_it - {(kind, value)}:
                beside.setdefault(value, {}).setdefault(other_kind, set()).add(other)
    barred = {value for value, kinds in beside.items() if max(map(len, kinds.values())) > BAR}
    joining = {name: {value for _, value in found} - barred for name, found in pairs.items()}
    number_of = {value: n for n, value in enumerate(sorted({v for values in joining.values() for v in values}))}
    groups = components({name: [number_of[v] for v in values] for name, values in joining.items()})
    contact: dict[str, str | None] = {}
    for group in groups:
        values = {value for name in group for value in joining[name]}
        contact |= dict.fromkeys(group, f"ct_{min(values)}" if values else None)
    return contact, barred


def as_stored(store: Store, keys: Sequence[str]) -> tuple[dict[str, str | None], set[str]]:
    contact: dict[str, str | None] = dict(
        store.rows("select conversation_id, contact_id from conversation where conversation_id in (select unnest(?))",
                   [list(keys)])
    )  # fmt: skip
    barred = store.rows(
        "select distinct replace(value::varchar, '-', '') from barred join shown using (value) "
        "where conversation_id in (select unnest(?))", [list(keys)],
    )  # fmt: skip
    return contact, {value for (value,) in barred}


KINDS = ("customer_id", "helpdesk_id")
conversation = st.tuples(st.integers(0, 7), st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5)), max_size=3))
batches = st.lists(st.tuples(st.lists(conversation, min_size=1, max_size=5), st.booleans()), min_size=1, max_size=5)


@given(batches)
@example([  # what stood beside a barred one goes, and the barred one stays: it is counted again
    ([(0, [(0, 0), (1, 0)]), (1, [(0, 0), (1, 1), (1, 2)])], True), ([(0, [(0, 0)])], True),
])  # fmt: skip
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_order_and_batching_and_every_replacement_gives_what_a_computation_from_nothing_gives(
    store: Store, batches: list[tuple[list[tuple[int, list[tuple[int, int]]]], bool]]
) -> None:
    name = f"x{next(numbered)}"
    last: dict[str, list[Identity]] = {}
    for batch, at_once in batches:
        shown = {  # the last of a key stands
            f"{name}-c{key}": [Identity(kind=KINDS[kind], value=f"{name}-{n}") for kind, n in identities]
            for key, identities in batch
        }
        take(store, shown, ingest_id=None if at_once else "waits")
        last |= shown
        if at_once:
            assert as_stored(store, list(last)) == by_hand(store, last)
    store.settle()
    assert as_stored(store, list(last)) == by_hand(store, last)
    # Of what happened, the log tells about contacts that were there; what is left in it is no contact any more.
    assert store.rows("select count(*) from unsettled") == [(0,)]
    assert store.rows("select count(*) from contact_change where contact_id = new_contact_id") == [(0,)]
    assert store.rows("select * from contact_change where value is null") == []


def changes(store: Store, *conversations: str) -> list[tuple[str, ...]]:
    """What happened to the contacts that these conversations had or have, the identity that made it by its hash."""
    found: list[tuple[str, ...]] = store.rows(
        "select change, contact_id, new_contact_id, kind, replace(value::varchar, '-', ''), conversation_id "
        "from contact_change where conversation_id in (select unnest(?)) order by changed_at, change, new_contact_id",
        [list(conversations)],
    )
    return found


def contact_of(store: Store, *keys: str) -> list[str]:
    return [store.rows("select contact_id from conversation where conversation_id = ?", [key])[0][0] for key in keys]


def test_a_merge_of_contacts_that_came_in_together_is_logged_once_however_they_came_in(store: Store) -> None:
    parts = {"a1": ids(1, name="t"), "a2": ids(2, 3, name="t"), "a3": ids(1, 4, name="t"), "a4": ids(3, 4, name="t"),
             "a5": ids(2, 3, name="t")}  # fmt: skip
    take(store, parts, ingest_id="one file")
    store.settle()
    (made,) = changes(store, *parts)
    # a1 and a3 are one from the start, so is a2; a4 joins the two, and a5 finds them joined.
    assert (made[0], made[2], made[5]) == ("merged", contact_of(store, "a1")[0], "a4")
    assert made[4] in {key_of(store).hash("customer_id", f"t-{n}") for n in (3, 4)}
    assert len(set(contact_of(store, *parts))) == 1


def test_a_merge_is_logged_with_what_made_it_and_so_is_coming_apart(store: Store) -> None:
    one, two = ids(1, name="m")[0], ids(2, name="m")[0]
    take(store, {"m1": [one], "m2": [two]})
    before = contact_of(store, "m1", "m2")
    assert changes(store, "m1", "m2", "m3") == []
    take(store, {"m3": [one, two]})
    kept, gone = sorted(before)
    assert contact_of(store, "m1", "m2", "m3") == [kept] * 3
    hash_of_gone = gone.removeprefix("ct_")
    assert changes(store, "m1", "m2", "m3") == [("merged", gone, kept, "customer_id", hash_of_gone, "m3")]
    take(store, {"m3": [Identity(kind="customer_id", value="m-1")]})  # it was not his
    assert contact_of(store, "m1", "m2") == before
    assert changes(store, "m1", "m2", "m3")[1][:3] == ("split", kept, gone)
    assert changes(store, "m1", "m2", "m3")[1][4] == key_of(store).hash("customer_id", "m-2")


def test_a_corrected_file_takes_strangers_apart_again(store: Store) -> None:
    wrong = {f"s{n}": [*ids(0, name="shop"), *ids(n, name="s")] for n in range(1, BAR + 1)}
    take(store, wrong)
    assert len(partition(store, list(wrong))) == 1
    take(store, {key: identities[1:] for key, identities in wrong.items()})
    assert len(partition(store, list(wrong))) == BAR


def test_an_identity_that_too_many_share_is_barred_and_joins_again_when_fewer_do(store: Store) -> None:
    shops_own = Identity(kind="phone", value="+44 20 7946 0958")
    shown = {f"h{n}": [shops_own, *ids(n, name="h")] for n in range(BAR)} | {"h-alone": [shops_own]}
    take(store, shown)
    assert len(partition(store, list(shown))) == 1
    take(store, {"h-more": [shops_own, *ids(99, name="h")]})
    assert len(partition(store, [*shown, "h-more"])) == BAR + 2  # and the one that shows nothing else is nobody
    assert contact_of(store, "h-alone") == [None]
    assert {change[0] for change in changes(store, *shown)} == {"split"}
    take(store, {"h-more": ids(99, name="h")})
    assert len(partition(store, [*shown, "h-more"])) == 2
    assert contact_of(store, "h-alone") == contact_of(store, "h0")


def test_another_bar_counts_everything_again(tmp_path: Path) -> None:
    shown = {f"k{n}": [*ids(0, name="shop"), *ids(n, name="k")] for n in range(1, 5)}
    seen = []
    for bar in (5, 3, 4):
        with open_store(
            tmp_path / "grader.duckdb", people=People(Keyring(tmp_path / "key"), barred_above=bar)
        ) as store:
            if bar == 5:
                take(store, shown)
            store.settle()
            seen.append(len(partition(store, list(shown))))
    assert seen == [1, 4, 1]


def test_an_identity_that_identifies_nobody_joins_nobody(store: Store) -> None:
    blank = [("phone", "unknown"), ("email", "N/A"), ("phone", "+00 000-000000"), ("phone", "12"), ("email", "none"),
             ("email", "@"), ("customer_id", " NULL "), ("whatsapp", "anonymous"), ("phone", "999999999"),
             ("customer_id", "0"), ("email", "anônimo"), ("phone", "Anonymous"), ("phone", "+00000000"),
             ("email", "noreply@shop.example"), ("email", "No-Reply+12@shop.example"), ("email", "none@none.com"),
             ("customer_id", "00000000-0000-0000-0000-000000000000"), ("customer_id", "-0-"),
             ("helpdesk_id", "(none)"), ("phone", "+55 11 99999-9999"), ("phone", "12345678901"),
             ("email", "<unknown>"), ("customer_id", "customer_id"), ("name", "Dana"), ("full name", "Dana Reyes"),
             ("nickname", "dana"), ("session_id", "s-1"), ("order_id", "Q-1")]  # fmt: skip
    shown = {f"b{n}-{again}": [Identity(kind=k, value=v)] for n, (k, v) in enumerate(blank) for again in (1, 2)}
    take(store, shown)
    assert len(partition(store, list(shown))) == len(shown)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("phone", "+44 (20) 7946-0958"), ("Phone ", "00442079460958")),
        (("whatsapp", "442079460958"), ("phone", "+44 20 7946 0958")),
        (("phone", "+٤٤٢٠٧٩٤٦٠٩٥٨"), ("tel", "442079460958")),
        (("email", "Dana@Shop.example"), ("E-Mail", " mailto:dana@shop.example")),
        (("helpdesk_id", " a  b "), ("helpdesk_id", "a b")),
        (("Customer ID", "a"), ("customer_id", "a")),
        (("phone", "+44 (0)20 7946 0958"), ("phone", "+442079460958")),
        (("wa_id", "551187654321"), ("phone", "+55 (11) 98765-4321")),  # Brazil's ninth digit
        (("whatsapp_id", "5215512345678"), ("phone", "+52 55 1234 5678")),  # Mexico's 1
        (("whatsapp", "5491123456789"), ("phone", "+54 11 2345-6789")),  # Argentina's 9
        (("whatsapp_id", "US.134912086553"), ("whatsapp_user_id", "US.134912086553")),
    ],
)
def test_two_writings_of_one_identity_meet(one: tuple[str, str], other: tuple[str, str]) -> None:
    a, b = (normalise(Identity(kind=kind, value=value)) for kind, value in (one, other))
    assert a is not None
    assert a == b


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("customer_id", "abc"), ("customer_id", "ABC")),  # only people and phones ignore case and marks
        (("customer_id", "447946095812"), ("phone", "447946095812")),
        (("whatsapp_id", "US.13491208655302741918"), ("phone", "13491208655302741918")),
        (("email", "dana+1@shop.example"), ("email", "dana@shop.example")),
        (("phone", "+55 11 3765-4321"), ("phone", "+55 11 93765-4321")),  # a landline has eight digits
        (("phone", "(11) 98765-4321"), ("phone", "+55 11 98765-4321")),  # of which country, nothing says
    ],
)
def test_identities_that_only_look_alike_stay_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert normalise(Identity(kind=one[0], value=one[1])) != normalise(Identity(kind=other[0], value=other[1]))


def test_a_number_without_a_country_is_of_the_region_that_is_set() -> None:
    written = ("(11) 98765-4321", "011 98765-4321", "+55 11 98765-4321", "0055 11 98765 4321", "5511987654321")
    assert {normalise(Identity(kind="phone", value=w), "BR") for w in written} == {("phone", "5511987654321")}
    assert normalise(Identity(kind="phone", value="442079460958"), "BR") == ("phone", "442079460958")
    assert normalise(Identity(kind="phone", value="011 15 2345-6789"), "AR") == ("phone", "541123456789")


digits = st.text("0123456789+-() ", min_size=6, max_size=20)
written = st.one_of(st.text(min_size=1), digits, digits.map(lambda text: f"+{text}")).filter(lambda t: t.strip())


@given(st.sampled_from(["phone", "whatsapp_id", "email", "customer_id", "zendesk id", "name"]), written)
def test_normalising_again_changes_nothing(kind: str, value: str) -> None:
    once = normalise(Identity(kind=kind, value=value))
    if once is not None:
        assert normalise(Identity(kind=once[0], value=once[1])) == once
