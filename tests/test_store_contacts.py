"""Contacts are the components of a plain graph: conversations that share an identity, however they came in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.model import Contact, Conversation, Identity, Message, Role
from grader.store import Store, open_store
from grader.store.contacts import normalise

example = count()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all: every example has names of its own."""
    with open_store(tmp_path_factory.mktemp("contacts") / "grader.duckdb") as opened:
        yield opened


def take(store: Store, shown: Mapping[str, Sequence[Identity]]) -> None:
    store.add([
        (Conversation(conversation_id=key, contact=Contact(identities=tuple(identities)),
                      messages=(Message(role=Role.CUSTOMER, text="hi"),)), None, None)
        for key, identities in shown.items()
    ])  # fmt: skip


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


conversation = st.tuples(st.integers(0, 7), st.lists(st.integers(0, 6), max_size=3))
batches = st.lists(st.lists(conversation, min_size=1, max_size=5), min_size=1, max_size=4)


@given(batches)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_order_of_arrival_and_every_replacement_gives_the_partition_of_what_is_there(
    store: Store, batches: list[list[tuple[int, list[int]]]]
) -> None:
    name = f"x{next(example)}"
    last: dict[str, list[int]] = {}
    for batch in batches:
        shown = {f"{name}-c{key}": numbers for key, numbers in batch}  # the last of a key stands
        take(store, {key: ids(*numbers, name=name) for key, numbers in shown.items()})
        last |= shown
        assert partition(store, list(last)) == components(last)
    # No identity points to a contact that is gone, and no contact that is in use says that it was merged away.
    living = "select contact_id from contact where merged_into is null"
    assert store.rows(f"select count(*) from identity where contact_id not in ({living})") == [(0,)]
    assert store.rows("select count(*) - count(distinct contact_id) from contact") == [(0,)]


def test_a_merge_is_kept_in_the_log(store: Store) -> None:
    take(store, {"m1": ids(1, name="m"), "m2": ids(2, name="m")})
    before: dict[str, str] = dict(
        store.rows("select conversation_id, contact_id from conversation where conversation_id in ('m1', 'm2')")
    )
    take(store, {"m3": ids(1, 2, name="m")})
    kept, gone = sorted(before.values())
    assert store.rows("select merged_into from contact where contact_id = ?", [gone]) == [(kept,)]
    assert partition(store, ["m1", "m2", "m3"]) == {frozenset({"m1", "m2", "m3"})}


def test_a_corrected_file_takes_strangers_apart_again(store: Store) -> None:
    shops_own = ids(0, name="shop")  # a mapping that took the shop's number for the customer's
    wrong = {f"s{n}": [*shops_own, *ids(n, name="s")] for n in range(1, 6)}
    take(store, wrong)
    assert len(partition(store, list(wrong))) == 1
    take(store, {key: identities[1:] for key, identities in wrong.items()})
    assert len(partition(store, list(wrong))) == 5


def test_an_identity_that_identifies_nobody_joins_nobody(store: Store) -> None:
    blank = [("phone", "unknown"), ("email", "N/A"), ("phone", "+00 000-000000"), ("phone", "12"), ("email", "none"),
             ("email", "@"), ("customer_id", " NULL "), ("whatsapp", "anonymous"), ("phone", "999999999"),
             ("customer_id", "0"), ("email", "anônimo")]  # fmt: skip
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
    ],
)
def test_identities_that_only_look_alike_stay_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert normalise(Identity(kind=one[0], value=one[1])) != normalise(Identity(kind=other[0], value=other[1]))


@given(st.text(min_size=1).filter(lambda t: t.strip()), st.text(min_size=1).filter(lambda t: t.strip()))
def test_normalising_again_changes_nothing(kind: str, value: str) -> None:
    once = normalise(Identity(kind=kind, value=value))
    if once is not None and once[0].strip() and once[1].strip():
        assert normalise(Identity(kind=once[0], value=once[1])) == once
