"""Orders under alerts: what plants do, and what is true of it by the contract's definition."""

import itertools
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway_sim.answer_key import answer_key, true_verdicts
from gateway_sim.city import City, build_city
from gateway_sim.effects import Action, Effect
from gateway_sim.layout import draw_blueprint
from gateway_sim.orders.conducts import CONDUCTS, EVEN_CONDUCTS, NOTHING_ASKED
from gateway_sim.orders.duties import clock_spells, named_circuits, outside
from gateway_sim.orders.limits import WAYS, Cut, cut_down
from gateway_sim.orders.season import FIRST_DAYS, season
from gateway_sim.orders.truth import energy_kwh, true_verdict
from gateway_sim.physics import Circumstances
from gateway_sim.plant import Plant
from gateway_sim.registry_files import write_registry
from gateway_sim.scenario import Scenario, read_scenario
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import DEFAULT_ZONE, to_us
from wattwitness.domain.registry import (
    Alert,
    AlertChange,
    AlertLevel,
    Declaration,
    DeclarationReason,
    DeclarationStatus,
    Measure,
    MeasureAction,
    Registry,
    Role,
)
from wattwitness.domain.verdicts import VerdictCode
from wattwitness.files.registry_files import read_registry

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 9, 7, tzinfo=ZONE)
RESPONSE = START + timedelta(days=3)  # a Thursday
LIFT = RESPONSE + timedelta(days=2)
END_S = to_us(START + timedelta(days=7)) // 1_000_000
FOUNDRY = 22  # industry_of: a foundry of several lines, all of them metered


def stop(**changes) -> Measure:
    measure = Measure(
        enterprise_id="x", level=AlertLevel.ORANGE, action=MeasureAction.STOP, grace_min=120.0
    )
    return replace(measure, **changes)


def plant_with(*measures: Measure, main_only: bool = False) -> Plant:
    blueprint = draw_blueprint(5, FOUNDRY, main_only=main_only)
    blueprint = replace(blueprint, measures=measures)
    return Plant(blueprint, Circumstances(zone=DEFAULT_ZONE), to_us(START) // 1_000_000)


def alert(**changes) -> Alert:
    told = Alert(
        alert_id="A",
        level=AlertLevel.ORANGE,
        issued_at=RESPONSE - timedelta(hours=24),
        response_from=RESPONSE,
        lifted_at=LIFT,
    )
    return replace(told, **changes)


def doing(plant: Plant, action: Action, targets, after_h: float, hours: float = 48, amount=0.0):
    begin = to_us(RESPONSE + timedelta(hours=after_h)) // 1_000_000
    effect = Effect(
        action=action,
        targets=tuple(targets),
        from_s=begin,
        to_s=begin + int(hours * 3600),
        amount=amount,
        because_of="A",
    )
    return plant.with_effects((*plant.around.effects, effect))


def lines(plant: Plant) -> list[str]:
    return [line.name for line in plant.blueprint.lines]


def code(plant: Plant, told: Alert | None = None, papers=()) -> VerdictCode:
    found = true_verdict(plant, told or alert(), papers, END_S)
    assert found is not None
    return found.verdict


@pytest.mark.parametrize("main_only", [False, True])
def test_a_stop_goes_by_minutes_after_the_grace(main_only) -> None:
    plant = plant_with(stop(), main_only=main_only)
    assert len(lines(plant)) > 1
    assert code(plant) is VerdictCode.VIOLATED
    assert code(doing(plant, Action.LINE_STOP, lines(plant), 1.9)) is VerdictCode.COMPLIED
    assert code(doing(plant, Action.LINE_STOP, lines(plant), 16)) is VerdictCode.PARTIAL
    assert code(doing(plant, Action.LINE_STOP, lines(plant), 44)) is VerdictCode.VIOLATED


def test_a_bypassed_meter_hides_nothing_from_the_truth() -> None:
    plant = plant_with(stop())
    made = [c.circuit_id for c in plant.blueprint.circuits if c.role is Role.PRODUCTION]
    assert code(doing(plant, Action.DIVERT, made, 0, amount=1.0)) is VerdictCode.VIOLATED


def test_silent_meters_are_told_apart_and_change_nothing_of_the_truth() -> None:
    plant = plant_with(stop())
    silent = doing(plant, Action.LOSE, plant.circuit_ids, 0)
    found = true_verdict(silent, alert(), (), END_S)
    assert found is not None
    assert (found.verdict, found.shown) == (VerdictCode.VIOLATED, False)


@pytest.mark.parametrize(("load", "told"), [(0.4, "complied"), (0.7, "partial"), (1.0, "violated")])
def test_a_limit_goes_by_energy(load, told) -> None:
    plant = plant_with(stop(action=MeasureAction.LIMIT, limit_pct=50.0))
    machines = [m.circuit_id for m in plant.blueprint.machines]
    assert code(doing(plant, Action.SCALE, machines, 0, amount=load)) == told


@pytest.mark.parametrize("main_only", [False, True])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("share", [0.85, 0.5])
def test_every_way_down_ends_below_the_target_and_not_far_below(main_only, way, share) -> None:
    limit = stop(action=MeasureAction.LIMIT, limit_pct=100 * share)
    plant = plant_with(limit, main_only=main_only)
    circuits = named_circuits(plant.blueprint, limit)
    window = (to_us(RESPONSE) // 1_000_000, to_us(LIFT) // 1_000_000)
    usual = energy_kwh(plant, circuits, window)
    cut = Cut(
        plant=plant,
        circuits=circuits,
        lines=tuple(lines(plant)),
        spell=window,
        window=window,
        target_kwh=share * usual,
    )
    used = cut.used_kwh(cut_down(cut, way))
    assert 0.85 * share * usual < used <= 1.002 * share * usual


def test_hours_go_by_the_clock() -> None:
    hours = (time(22), time(6))
    plant = plant_with(stop(action=MeasureAction.HOURS, hours=hours))
    window = (to_us(RESPONSE) // 1_000_000, to_us(LIFT) // 1_000_000)
    closed = outside(hours, window, ZONE)
    assert sum(b - a for a, b in closed) == 2 * 16 * 3600
    assert not set(closed) & set(clock_spells(hours, window, ZONE))
    obedient = plant
    for begin, end in closed:
        after_h = (begin - window[0]) / 3600
        obedient = doing(obedient, Action.LINE_STOP, lines(plant), after_h, (end - begin) / 3600)
    assert code(obedient) is VerdictCode.COMPLIED
    assert code(plant) is not VerdictCode.COMPLIED


def test_measures_that_differ_are_partly_followed() -> None:
    plant = plant_with(stop(scope=("1号线",)), stop(scope=("2号线",)))
    assert code(doing(plant, Action.LINE_STOP, ["1号线"], 0)) is VerdictCode.PARTIAL
    assert code(doing(plant, Action.LINE_STOP, ["1号线", "2号线"], 0)) is VerdictCode.COMPLIED


def test_each_phase_asks_its_own() -> None:
    upgrade = AlertChange(
        level=AlertLevel.RED, issued_at=RESPONSE, response_from=RESPONSE + timedelta(hours=24)
    )
    changed = alert(level=AlertLevel.YELLOW, changes=(upgrade,))
    plant = plant_with(stop(level=AlertLevel.RED))
    # nothing is asked on the first day; the second has a grace of its own
    assert code(doing(plant, Action.LINE_STOP, lines(plant), 25.9), changed) == "complied"
    assert code(doing(plant, Action.LINE_STOP, lines(plant), 0, 24), changed) == "violated"


def test_who_is_exempt() -> None:
    plant = plant_with(stop(level=AlertLevel.RED))
    assert code(plant) is VerdictCode.EXEMPT  # nothing at this level
    paper = Declaration(
        enterprise_id="x",
        from_=RESPONSE - timedelta(hours=1),
        to=LIFT + timedelta(hours=1),
        reason=DeclarationReason.TRIAL,
    )
    ordered = plant_with(stop())
    assert code(ordered, papers=[paper]) is VerdictCode.EXEMPT
    shorter = replace(paper, to=LIFT - timedelta(hours=1))
    filed = replace(paper, status=DeclarationStatus.FILED)
    some = replace(paper, circuits=("x",))
    for worthless in (shorter, filed, some):
        assert code(ordered, papers=[worthless]) is VerdictCode.VIOLATED


def test_other_districts_and_alerts_to_come_are_no_case() -> None:
    plant = plant_with(stop())
    assert true_verdict(plant, alert(districts=("elsewhere",)), (), END_S) is None
    too_soon = to_us(RESPONSE) // 1_000_000
    assert true_verdict(plant, alert(), (), too_soon) is None


def test_a_season_leaves_history_before_and_days_between() -> None:
    for seed in range(8):
        ends = START + timedelta(days=75)
        alerts = season(seed, START, ends, ZONE)
        assert alerts == season(seed, START, ends, ZONE)
        assert len(alerts) >= 3
        assert alerts[0].response_from >= START + timedelta(days=FIRST_DAYS)
        for earlier, later in itertools.pairwise(alerts):
            assert earlier.lifted_at is not None
            assert later.response_from > earlier.lifted_at + timedelta(days=2)
        for told in alerts:
            changes = [c.response_from for c in told.changes]
            assert all(told.response_from < at < (told.lifted_at or ends) for at in changes)


@pytest.fixture(scope="module")
def city() -> City:
    return build_city(
        Scenario(
            enterprises=24,
            days=40,
            seed=3,
            alert="season",
            plans="varied",
            main_only=0.2,
            shares=dict.fromkeys(Scenario().shares, 0.0),
            conducts=EVEN_CONDUCTS,
        ),
        START,
    )


def test_every_plant_answers_every_alert_and_the_key_tells_it(city) -> None:
    key = answer_key(city)["verdicts"]
    assert len(key) == len(city.plants) * len(city.registry.alerts)
    assert {v["conduct"] for v in key} <= {*CONDUCTS, NOTHING_ASKED}
    assert {v["verdict"] for v in key} == {"complied", "partial", "violated", "exempt"}
    roles = {c.role for p in city.plants for c in p.blueprint.circuits if len(p.circuit_ids) == 1}
    assert roles == {Role.MAIN}


def test_conducts_do_what_their_names_say(city) -> None:
    truths = list(true_verdicts(city))

    def said(conduct: str) -> set[str]:
        return {v.verdict.value for v in truths if v.conduct == conduct}

    assert said("follows") == {"complied"}
    assert said("at_the_last_moment") == {"complied"}
    assert said("off_anyway") <= {"complied"}
    assert said(NOTHING_ASKED) == {"exempt"}
    for verdict in truths:
        if verdict.conduct == "works_on":
            busy = [m for m in verdict.measures if m.usual_minutes > 20]
            assert {m.verdict for m in busy} <= {VerdictCode.VIOLATED}
    assert all(v.shown for v in truths if v.conduct != "silent")


def test_orders_change_nothing_before_the_first_alert(city) -> None:
    first = min(a.issued_at for a in city.registry.alerts.values()) - timedelta(days=3)
    plant = next(p for p in city.plants if p.around.effects)
    calm = plant.with_effects([])
    span = (to_us(first - timedelta(days=1)), to_us(first))
    assert (plant.readings(*span) == calm.readings(*span)).all()


def test_the_files_of_a_season_are_read_back_with_their_changes(city, tmp_path) -> None:
    alerts = dict(city.registry.alerts)
    name = next(iter(alerts))
    begins = alerts[name].response_from
    change = AlertChange(
        level=AlertLevel.RED, issued_at=begins, response_from=begins + timedelta(hours=20)
    )
    alerts[name] = replace(alerts[name], changes=(change,))
    write_registry(replace(city.registry, alerts=alerts), tmp_path)
    read = read_registry(tmp_path, Registry()).registry
    assert read.alerts == alerts
    assert sorted(map(str, read.measures)) == sorted(map(str, city.registry.measures))
    calm = tmp_path / "calm"
    calm.mkdir()
    write_registry(replace(city.registry, alerts={}), calm)
    assert not (calm / "alert_changes.csv").exists()


def test_a_scenario_file_may_tell_conducts(tmp_path) -> None:
    path = tmp_path / "city.toml"
    path.write_text(
        'alert = "season"\nplans = "varied"\nmain_only = 0.5\n[conducts]\nhalf = 1\nlate = 0.5\n'
    )
    scenario = read_scenario(path)
    assert (scenario.alert, scenario.plans, scenario.main_only) == ("season", "varied", 0.5)
    assert scenario.conducts == {"half": 1.0, "late": 0.5}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('plans = "any"', "plans"),
        ("main_only = 2", "main_only"),
        ("[conducts]\nobeys = 1", "conducts.obeys"),
        ("[conducts]\nhalf = -1", "conducts.half"),
    ],
)
def test_what_no_season_can_be_made_of_is_refused(tmp_path, text, told) -> None:
    path = tmp_path / "city.toml"
    path.write_text(text)
    with pytest.raises(InputRefusedError, match=told):
        read_scenario(path)
