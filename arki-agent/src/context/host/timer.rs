//! Services that run and that a timer starts: a `.service` among the control groups with a `.timer` of its name, or one
//! that a timer names (`Unit=`).

use super::Job;
use super::kind::JobKind;
use crate::collect::Roots;
use crate::collect::service::cgroup::Hierarchy;
use crate::collect::service::unit;
use arki_model::clock::UnixSeconds;

/// The most services that are remembered; a host has tens.
const SERVICES_MAX: usize = 512;

#[derive(Debug)]
struct Service {
    unit: String,
    has_timer: bool,
    /// When it was first seen with processes, since it last had none.
    since: Option<UnixSeconds>,
    is_there: bool,
}

/// The services of the last look, so that unit files are looked up once.
#[derive(Debug, Default)]
pub(super) struct Timers {
    services: Vec<Service>,
}

impl Timers {
    /// The jobs that timers started.
    pub(super) fn look(&mut self, host: &Roots, now_s: UnixSeconds) -> Vec<Job> {
        for service in &mut self.services {
            service.is_there = false;
        }
        // Read once, when a service is met for the first time.
        let mut named = None;
        if let Some(hierarchy) = Hierarchy::find(host) {
            for directory in hierarchy.services() {
                let index = match self.find(&directory.unit) {
                    Some(index) => index,
                    None if self.services.len() < SERVICES_MAX => {
                        let named = named.get_or_insert_with(|| unit::named_by_timers(host));
                        self.meet(host, directory.unit, named)
                    }
                    None => continue,
                };
                let service = &mut self.services[index];
                service.is_there = true;
                if service.has_timer {
                    let runs = hierarchy.is_populated(&directory.path);
                    service.since = runs.then_some(service.since.unwrap_or(now_s));
                }
            }
        }
        self.services.retain(|service| service.is_there);
        let job = |service: &Service| {
            let name = unit::short(&service.unit);
            Some(Job {
                name: name.to_owned(),
                kind: JobKind::of_scheduled(name),
                since: service.since?,
                until: None,
            })
        };
        self.services.iter().filter_map(job).collect()
    }

    fn find(&self, unit: &str) -> Option<usize> {
        self.services
            .iter()
            .position(|service| service.unit == unit)
    }

    fn meet(&mut self, host: &Roots, unit: String, named: &[String]) -> usize {
        let has_timer =
            unit::has_companion(host, unit::short(&unit), ".timer") || named.contains(&unit);
        self.services.push(Service {
            unit,
            has_timer,
            since: None,
            is_there: true,
        });
        self.services.len() - 1
    }
}
