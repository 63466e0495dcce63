//! What one must know of the machine and the run to read the table.

use super::plan::BenchPlan;

/// As lines, with the rows that stood there before the load was built.
pub fn of(plan: &BenchPlan, rows: u32) -> anyhow::Result<Vec<String>> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let cores = std::thread::available_parallelism()?;
    let processes = std::fs::read_dir("/proc")?.filter(|entry| is_process(entry.as_ref().ok()));
    let (few, many) = (plan.short_rounds, plan.long_rounds);
    let slow = many.slow_count();
    Ok(vec![
        format!(
            "Linux {}, {cores} cores; {rows} sockets and {} processes stood there before.",
            kernel.trim(),
            processes.count()
        ),
        format!(
            "CPU time is user and system, the median of {} rounds ({} from 10,000 sockets on), {slow} for who looks at every process.",
            few.count, many.count
        ),
        "A ratio without ÷ is to the bare dump of the same round.".to_owned(),
    ])
}

fn is_process(entry: Option<&std::fs::DirEntry>) -> bool {
    let name = entry.map(std::fs::DirEntry::file_name);
    name.is_some_and(|name| name.to_string_lossy().parse::<u32>().is_ok())
}
