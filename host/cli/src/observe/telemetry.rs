//! The observer that the program adds to a run, and the options that configure it.

use std::{net::SocketAddr, path::PathBuf};

use jackfield_engine::{Cancel, Event, Observer};
use jackfield_pipeline::Plan;
use jackfield_services::Services;
use jackfield_telemetry::{metrics::Metrics, spans::Spans};

use super::{meters::Meters, trace::Trace};
use crate::terminal::terminal;

#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct TelemetryArgs {
    /// Serve metrics in Prometheus' form on this address while the run lasts: `127.0.0.1:9464`.
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,

    /// Write metrics in Prometheus' form to this file, every few seconds and at the end.
    #[arg(long, value_name = "FILE")]
    metrics_file: Option<PathBuf>,
}

/// Reports a run as metrics and as spans, each if it was asked for.
pub(crate) struct RunTelemetry<'a> {
    metrics: Option<Meters<'a>>,
    trace: Option<Trace<'a>>,
}

impl<'a> RunTelemetry<'a> {
    /// Sets up what the command line and the environment ask for.
    ///
    /// # Errors
    /// A message, if the address cannot be served or the environment is not valid.
    pub(crate) fn new(args: &TelemetryArgs, run: &str, plan: &'a Plan, services: &'a Services) -> Result<Self, String> {
        let metrics = (args.metrics.is_some() || args.metrics_file.is_some()).then(Metrics::new);
        let endpoint = match (args.metrics, &metrics) {
            (Some(address), Some(metrics)) => {
                let endpoint =
                    metrics.serve(address).map_err(|error| format!("cannot serve metrics on {address}: {error}"))?;
                terminal().say(format!("metrics on http://{}/metrics", endpoint.addr()));
                Some(endpoint)
            }
            _ => None,
        };
        let metrics = metrics.map(|metrics| Meters::new(metrics, endpoint, args.metrics_file.clone(), plan, services));
        let spans = Spans::from_env(run).map_err(|error| error.to_string())?;
        let trace = spans.map(|spans| Trace::new(spans, plan));
        Ok(Self { metrics, trace })
    }

    /// Reports the end of the run. A request to stop ends the wait for a collector.
    pub(crate) fn finish(mut self, state: &'static str, cancel: &Cancel) {
        if let Some(meters) = &mut self.metrics {
            meters.update_gauges();
            meters.write_file();
        }
        if let Some(trace) = self.trace {
            trace.finish(state, cancel);
        }
    }
}

impl Observer for RunTelemetry<'_> {
    fn on(&mut self, event: &Event<'_>) {
        if let Some(meters) = &mut self.metrics {
            meters.on(event);
        }
        if let Some(trace) = &mut self.trace {
            trace.on(event);
        }
    }
}

/// Two observers of one run, called one after the other.
pub(crate) struct ObserverPair<'a>(pub(crate) &'a mut dyn Observer, pub(crate) &'a mut dyn Observer);

impl Observer for ObserverPair<'_> {
    fn on(&mut self, event: &Event<'_>) {
        self.0.on(event);
        self.1.on(event);
    }
}
