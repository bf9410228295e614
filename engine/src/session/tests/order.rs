use super::{builder, session};
use crate::{ErrorKind, EvalOptions, Language, SessionState};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

#[test]
fn a_hundred_threads_on_twenty_sessions_are_all_served_in_order() {
    let engine = builder().build().unwrap();
    let seen: Arc<Mutex<Vec<Vec<String>>>> = Arc::new(Mutex::new(vec![Vec::new(); 20]));
    let sessions: Vec<_> = (0..20).map(|number| session(&engine, &format!("s{number}"))).collect();
    std::thread::scope(|scope| {
        for thread in 0..100 {
            let (sessions, seen) = (&sessions, &seen);
            scope.spawn(move || {
                for turn in 0..5 {
                    let number = (thread + turn) % 20;
                    let options =
                        EvalOptions { correlation_id: Some(format!("{thread} {turn}")), ..EvalOptions::default() };
                    // What a thread asks for second is done second.
                    let outcome = sessions[number].evaluate(&format!("t{thread} = {turn}"), &options);
                    outcome.result.unwrap();
                    seen.lock().unwrap()[number].push(outcome.correlation_id);
                }
            });
        }
    });
    for session in &sessions {
        assert_eq!(session.info().evaluations, 25);
        assert_eq!(session.info().state, SessionState::Idle);
    }
    assert!(seen.lock().unwrap().iter().all(|seen| seen.len() == 25));
}

#[test]
fn what_waits_is_done_in_the_order_in_which_it_was_asked_for() {
    let engine = builder().build().unwrap();
    let events = engine.session_hub().watch();
    let (start, started) = std::sync::mpsc::channel::<()>();
    let (gate, opened) = std::sync::mpsc::channel::<()>();
    let (start, opened) = (Mutex::new(start), Mutex::new(opened));
    engine
        .function("wait", move || {
            start.lock().unwrap().send(()).unwrap();
            opened.lock().unwrap().recv().map_err(|error| error.to_string())
        })
        .unwrap();
    let waiting = session(&engine, "a");
    let mut threads = vec![std::thread::spawn({
        let waiting = waiting.clone();
        move || drop(waiting.eval("call wait"))
    })];
    started.recv().unwrap();
    for number in 0..20 {
        let other = waiting.clone();
        threads.push(std::thread::spawn(move || {
            let options = EvalOptions { correlation_id: Some(format!("{number}")), ..EvalOptions::default() };
            drop(other.evaluate("x = 1", &options));
        }));
        // The next one asks when this one waits.
        while waiting.waiting() < number + 2 {
            std::thread::yield_now();
        }
    }
    gate.send(()).unwrap();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let order: Vec<String> = events
        .try_iter()
        .filter_map(|event| match event.what {
            crate::SessionChange::Evaluated { correlation_id, .. } => Some(correlation_id),
            _ => None,
        })
        .collect();
    let expected: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    assert_eq!(order[1..], expected);
}

#[test]
fn only_so_much_waits() {
    let engine = builder().build().unwrap();
    let session = session(&engine, "a");
    let spinning = std::thread::spawn({
        let session = session.clone();
        move || session.eval("spin").unwrap_err()
    });
    while session.info().state != SessionState::Busy {
        std::thread::yield_now();
    }
    let mut context = Context::from_waker(Waker::noop());
    let mut waiting: Vec<_> = (0..10_000).map(|_| Box::pin(session.eval_async("x = 1"))).collect();
    let refused: Vec<_> = waiting
        .iter_mut()
        .filter_map(|future| match future.as_mut().poll(&mut context) {
            Poll::Ready(answer) => Some(answer.unwrap_err().kind()),
            Poll::Pending => None,
        })
        .collect();
    assert_eq!(refused, [ErrorKind::QueueFull]);
    session.close();
    spinning.join().unwrap();
}

#[test]
fn a_future_that_is_dropped_cancels_what_it_waited_for() {
    let engine = builder().build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let session = runtime.block_on(engine.session(Language::JavaScript).open_async()).unwrap();
    runtime.block_on(async {
        session.eval_async("x = 1").await.unwrap();
        let spinning = session.eval_async("spin");
        assert!(tokio::time::timeout(std::time::Duration::from_millis(20), spinning).await.is_err());
        assert_eq!(session.eval_async("x").await.unwrap(), 1);
    });
    assert_eq!(session.info().evaluations, 3);
}
