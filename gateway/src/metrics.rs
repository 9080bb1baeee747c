//! What the gateway counts, in the form Prometheus reads.
//!
//! Keeps true: each gateway has a registry of its own, so several fit into a process; labels take
//! few values: routes are templates, never paths.

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder, core::Collector,
};

/// Upper bounds of the latency buckets, seconds.
const LATENCY_SECONDS: &[f64] =
    &[0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The numbers of one gateway.
pub(crate) struct Metrics {
    registry: Registry,
    /// Answers, by route, method and status.
    pub(crate) requests: IntCounterVec,
    /// Time to an answer, seconds, by route.
    pub(crate) request_seconds: HistogramVec,
    /// Refusals by code.
    pub(crate) refusals: IntCounterVec,
    /// Requests that wait for or compute a hash.
    pub(crate) hashing_waiting: IntGauge,
    /// Time to compute a hash, seconds.
    pub(crate) hashing_seconds: Histogram,
    /// Whether a database answers, by link: `home` or the realm's number.
    pub(crate) link_up: IntGaugeVec,
    /// Callers the limits remember.
    pub(crate) limited_callers: IntGauge,
    /// Open connections.
    pub(crate) connections: IntGauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let registry = Registry::new();
        Self {
            requests: register(
                &registry,
                IntCounterVec::new(
                    opts("requests_total", "Answers"),
                    &["route", "method", "status"],
                ),
            ),
            request_seconds: register(
                &registry,
                HistogramVec::new(seconds("request_seconds", "Time to an answer"), &["route"]),
            ),
            refusals: register(
                &registry,
                IntCounterVec::new(opts("refusals_total", "Refusals by code"), &["code"]),
            ),
            hashing_waiting: register(
                &registry,
                IntGauge::with_opts(opts("hashing_queue", "Requests at the password hash")),
            ),
            hashing_seconds: register(
                &registry,
                Histogram::with_opts(seconds("hashing_seconds", "Time of a password hash")),
            ),
            link_up: register(
                &registry,
                IntGaugeVec::new(opts("link_up", "Whether a database is connected"), &["link"]),
            ),
            limited_callers: register(
                &registry,
                IntGauge::with_opts(opts("limited_callers", "Callers the limits remember")),
            ),
            connections: register(
                &registry,
                IntGauge::with_opts(opts("connections", "Open connections")),
            ),
            registry,
        }
    }

    /// All numbers as Prometheus text.
    pub(crate) fn text(&self) -> String {
        let mut text = Vec::new();
        TextEncoder::new()
            .encode(&self.registry.gather(), &mut text)
            .expect("invariant: metrics have names and help");
        String::from_utf8(text).expect("invariant: Prometheus text is UTF-8")
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(format!("haven_gateway_{name}"), help)
}

fn seconds(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::from(opts(name, help)).buckets(LATENCY_SECONDS.to_vec())
}

fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: prometheus::Result<C>,
) -> C {
    let collector = collector.expect("invariant: the name and the labels are good");
    let added = registry.register(Box::new(collector.clone()));
    added.expect("invariant: each name is registered once");
    collector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_prometheus_text() {
        let metrics = Metrics::new();
        metrics.requests.with_label_values(&["/v1/realms", "GET", "200"]).inc();
        metrics.link_up.with_label_values(&["home"]).set(1);
        let text = metrics.text();
        let line =
            r#"haven_gateway_requests_total{method="GET",route="/v1/realms",status="200"} 1"#;
        assert!(text.contains(line), "{text}");
        assert!(text.contains(r#"haven_gateway_link_up{link="home"} 1"#), "{text}");
        drop(Metrics::new());
    }
}
