//! From which pool size on does influence entropy mean anything? One line per number of models and definition: split-half reliability
//! and agreement with the true frequency of the example's group, each beside its null.
//!
//! cargo run --release -p flatleak-cli --example entropy_curve -- DIR [RECIPE]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "an example that stops at the first problem")]

use flatleak_data::Request;
use flatleak_explain::halves::{AgainstNull, Outputs, reliability};
use flatleak_pool::Signal;
use flatleak_store::RunDir;

fn main() {
    let mut args = std::env::args().skip(1);
    let dir = args.next().unwrap();
    let wanted = args.next();
    let (run, data) = RunDir::read(dir.as_ref(), |study| {
        let mut request = Request::new(&study.data[0]);
        (request.pool, request.test, request.seed) = (study.pool, study.test, study.seed);
        flatleak_data::open(&request)
    })
    .unwrap();
    let study = run.study();
    let recipe = study.recipes.iter().position(|r| wanted.as_ref().is_none_or(|w| *w == r.name)).unwrap();
    let whole = run.pool(recipe, &data, &Default::default()).unwrap();
    let groups = whole.groups.clone().unwrap();
    let mut counts = vec![0usize; groups.names.len()];
    groups.pool.iter().for_each(|g| counts[*g as usize] += 1);
    let frequency: Vec<f64> = groups.test.iter().map(|g| counts[*g as usize] as f64).collect();
    println!("recipe {}, {} pool examples, {} held out", whole.recipe, groups.pool.len(), groups.test.len());
    println!(
        "models  form  cut   reliability (null +- deviation) distance   with frequency (null +- deviation) distance"
    );
    let mut models = 16;
    while models <= whole.membership.models() {
        let pool = whole.select(&(0..models).collect::<Vec<_>>());
        let right = pool.test_correct().unwrap();
        let sure = pool.test_rows(Signal::Confidence).unwrap();
        for (form, outputs) in [("hard", Outputs::Right(right.rows())), ("soft", Outputs::Confidence(sure.rows()))] {
            for cut in [0.0, 2.0, 3.0, 4.0] {
                let found = reliability(&pool.membership, outputs, cut, Some(&frequency), (0, 2)).unwrap();
                let show = |a: Option<AgainstNull>| {
                    a.map_or("-".into(), |a| {
                        format!("{:+.3} ({:+.3} +- {:.3}) {:+6.1}", a.real, a.null, a.deviation, a.distance())
                    })
                };
                println!("{models:>6}  {form}  {cut:>3}   {:<36}   {}", show(found.halves), show(found.frequency));
            }
        }
        models *= 2;
    }
}
