"""The daemon itself: cycles and stages, delivery, feeds and prices, memory and the event loop."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from panels import (
    AMBER,
    BYTES,
    COUNT,
    GREEN,
    NAME,
    RED,
    SECONDS,
    SHARE,
    YES,
    Query,
    bars,
    board,
    laid,
    lines,
    number,
    states,
)

STAGES = "sum by (stage, le) (increase(riskd_stage_duration_seconds_bucket[{window}]))"
SLOW = ((None, GREEN), (5, AMBER), (60, RED))
NONE_IS_GOOD = ((None, GREEN), (1, RED))


def operations() -> Dashboard:
    """Everything an operator looks at when the daemon misbehaves."""
    made = board("riskd-operations", "riskd / Operations", "How the daemon does.", "now-24h")
    return laid(made, (4, _who()), (8, _cycle()), (9, _stages()), (8, _outbox()), (8, _mqtt()), (8, _prices()), (8, _process()))


def _who() -> list[object]:
    due, done = "riskd_run_expected_timestamp_seconds", "riskd_run_last_success_timestamp_seconds"
    late = f"({due} > bool {done}) * (time() - {due} > bool 7200)"
    return [
        number("Version", Query("riskd_build_info", "{{version}}"), mode=NAME),
        number("Model", Query("riskd_model_info", "{{model}}"), mode=NAME),
        number("Does", Query("riskd_phase == 1", "{{phase}}"), mode=NAME),
        number("Ready", Query("riskd_ready"), words=YES, none="DOWN"),
        number("Newest session computed", Query(late), words=(("yes", GREEN), ("overdue", RED))),
        number("Parts unwell", Query("riskd_parts_unwell"), COUNT, NONE_IS_GOOD),
    ]


def _cycle() -> list[object]:
    after = "riskd_run_last_success_timestamp_seconds - riskd_run_expected_timestamp_seconds"
    runs = Query("sum by (outcome) (increase(riskd_runs_total[1h]))", "{{outcome}}")
    told = Query("sum by (kind) (increase(riskd_alerts_total[1h])) > 0", "{{kind}}")
    text = "Below zero the newest session is not computed yet; two hours of that are an alarm."
    return [
        lines("Computed so long after it was due", [Query(after, "delay")], SECONDS, ((None, RED), (0, GREEN)), text),
        lines("Cycles in an hour", [runs], COUNT, least=0),
        lines("Alerts told in an hour", [told], COUNT, least=0),
    ]


def _stages() -> list[object]:
    now = Query(f"histogram_quantile(0.95, {STAGES.format(window='$__range')})", "{{stage}}")
    over = Query(f"histogram_quantile(0.95, {STAGES.format(window='1d')})", "{{stage}}")
    text = "19 of 20 runs took no longer."
    return [
        (bars("Stages in the time shown", now, SECONDS, SLOW, text), 10),
        (lines("Stages, over a day each", [over], SECONDS, text=text, logarithmic=True), 14),
    ]


def _outbox() -> list[object]:
    waiting = [Query("riskd_outbox_pending", "{{sink}} waiting"), Query("riskd_outbox_parked", "{{sink}} parked")]
    age = Query("riskd_outbox_oldest_age_seconds", "{{sink}}")
    tries = Query("sum by (sink, outcome) (increase(riskd_deliveries_total[1h]))", "{{sink}} {{outcome}}")
    return [
        lines("Alerts in the outbox", waiting, COUNT, least=0),
        lines("Age of the oldest that waits", [age], SECONDS, ((None, GREEN), (300, RED)), least=0),
        lines("Tries to deliver in an hour", [tries], COUNT, least=0),
    ]


def _mqtt() -> list[object]:
    sinks = Query("riskd_sink_connected", "{{sink}}")
    reconnects = Query("increase(riskd_mqtt_reconnects_total[1h])", "reconnects")
    return [
        states("Sinks are connected", sinks, YES),
        lines("MQTT reconnects in an hour", [reconnects], COUNT, ((None, GREEN), (10, RED)), least=0),
    ]


def _prices() -> list[object]:
    total = 'label_replace(sum(riskd_prices_in_doubt), "rule", "all", "", "")'
    doubts = Query(f"riskd_prices_in_doubt > 0 or {total}", "{{rule}}")
    coverage = Query("riskd_portfolio_data_coverage_ratio", "{{portfolio}}")
    return [
        states("Feeds answer", Query("riskd_feed_up", "{{feed}}"), YES),
        lines("Prices that are not used, by reason", [doubts], COUNT, least=0),
        lines("Usable prices, by weight", [coverage], SHARE, ((None, RED), (0.95, GREEN)), least=0).max(1),
    ]


def _process() -> list[object]:
    lag = "histogram_quantile({q}, sum by (le) (rate(riskd_event_loop_lag_seconds_bucket[$__rate_interval])))"
    lags = [Query(lag.format(q=q), f"{q:.0%} of naps") for q in (0.5, 0.99)]
    return [
        lines("Memory", [Query("process_resident_memory_bytes", "resident")], BYTES, least=0),
        lines("Cores in use", [Query("rate(process_cpu_seconds_total[$__rate_interval])", "cores")], COUNT, least=0),
        lines("Open files", [Query("process_open_fds", "open"), Query("process_max_fds", "allowed")], COUNT, logarithmic=True),
        lines("Event loop is late by", lags, SECONDS, ((None, GREEN), (1, RED)), logarithmic=True),
    ]
