"""Scores dream-tiny by a decoder of its own, in float32: lockstep R/A, and verdicts of the programs it writes."""

from __future__ import annotations

import copy
import json
import math
import random
import signal
import time

import torch

import corpus


def lockstep(net, layout, prompts, r_length, a_length, mode, tau_r, tau_a, one_token=False, temperature=0.0, fill=0.4, generator=None):
    """Texts of A, texts of R, passes and committed tokens of each prompt."""
    device, eos, mask = net.embed.device, layout.eos, layout.mask
    rows = [layout.encode(p) + layout.r_open + [mask] * r_length + layout.a_open + [mask] * a_length for p in prompts]
    length = max(map(len, rows))
    x = torch.tensor([[eos] * (length - len(r)) + r for r in rows], device=device)
    real = torch.tensor([[False] * (length - len(r)) + [True] * len(r) for r in rows], device=device)
    a0 = length - a_length
    r0 = a0 - len(layout.a_open) - r_length
    blocks = ((r0, r_length, tau_r), (a0, a_length, tau_a))
    passes, committed = torch.zeros(len(rows), device=device), torch.zeros(len(rows), device=device)
    sweeps = max(r_length, a_length)

    def commit(z, start, size, tau, sweep):
        span = x[:, start:start + size]
        hidden = span == mask
        logits = z[:, start:start + size].float()
        logits[..., mask] = -math.inf
        logits[..., layout.known:] = -math.inf
        if temperature > 0:
            p_all = (logits / temperature).softmax(-1)
            token = torch.multinomial(p_all.flatten(0, 1), 1, generator=generator).view(span.shape)
            p = p_all.gather(-1, token[..., None])[..., 0]
        else:
            p, token = logits.softmax(-1).max(-1)
        score = torch.where(hidden, p, -1.0)
        m = hidden.sum(1)
        need = torch.clamp(torch.ceil(m / (sweeps - sweep + 1)), min=1)
        cap = torch.maximum(need, torch.minimum(m.double(), torch.clamp(torch.ceil(fill * m.double() - 1e-9), min=1)))
        if one_token:
            cap = need
        rank = score.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
        chosen = hidden & ((rank < cap[:, None]) & (p >= tau) | (rank < need[:, None]))
        span = torch.where(chosen, token, span)
        if start == a0:
            ends = (span == eos).float()
            after_end = ends.cumsum(1) - ends > 0
            chosen &= ~(after_end & ~(chosen & (token == eos)))
            span = torch.where(after_end, eos, span)
        committed.add_(chosen.sum(1))
        x[:, start:start + size] = span

    with torch.no_grad():
        for sweep in range(1, sweeps + 1):
            hidden = [(x[:, s:s + n] == mask).any(1) for s, n, _ in blocks]
            if not (hidden[0] | hidden[1]).any():
                break
            if mode == "jacobi":
                z = net(x, real)
                passes += (hidden[0] | hidden[1]).float()
                for start, size, tau in blocks:
                    commit(z, start, size, tau, sweep)
            else:
                for (start, size, tau), masks in zip(blocks, hidden):
                    if masks.any():
                        passes += masks.float()
                        commit(net(x, real), start, size, tau, sweep)
    cut = lambda ids: layout.tokenizer.decode(ids[: ids.index(eos)] if eos in ids else ids)
    return [cut(row) for row in x[:, a0:].tolist()], [cut(row) for row in x[:, r0:r0 + r_length].tolist()], passes.tolist(), committed.tolist()


def limited(seconds, action):
    """What the action returns, or None if it fails or takes longer."""
    def late(*_):
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return action()
    except BaseException:
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def call(program, name):
    names = {}
    exec(program, names)
    return names[name]


def verdict(job):
    """(base, plus) of a program for a task in EvalPlus form."""
    program, task = job

    def passes(part):
        expected, actual = call(task["prompt"] + task["canonical_solution"], task["entry_point"]), call(program, task["entry_point"])
        for arguments in task[part]:
            want, got = expected(*copy.deepcopy(arguments)), actual(*copy.deepcopy(arguments))
            near = isinstance(want, float) and isinstance(got, (int, float)) and abs(want - got) <= task["atol"] + 1e-9
            if not near and want != got:
                return False
        return True

    base = bool(limited(2.0, lambda: passes("base_input")))
    return base, base and bool(limited(2.0, lambda: passes("plus_input")))


def some_arguments(r, count):
    """Arguments of kinds that programs of the corpus take."""
    word = lambda: "".join(r.choice("abcdeiosABt1x") for _ in range(r.randint(1, 7)))
    several = lambda make, most=7: [make() for _ in range(r.randint(0, most))]
    number = lambda: r.randint(-12, 30)
    kinds = (
        lambda: several(number), lambda: several(number), lambda: " ".join(several(word)), lambda: " ".join(several(word)), lambda: several(word),
        lambda: (lambda n, m: [[number() for _ in range(m)] for _ in range(n)])(r.randint(1, 4), r.randint(1, 4)),
        lambda: {word(): number() for _ in range(r.randint(0, 5))}, lambda: several(lambda: round(r.uniform(-9, 30), 2)),
        lambda: r.randint(0, 60), lambda: r.randint(1, 400), lambda: round(r.uniform(0, 50), 1), lambda: [1, [2, [3, -4]], number()],
    )
    return [r.choice(kinds)() for _ in range(count)]


def agrees(job):
    """Whether a program gives what the corpus's own gives, on arguments the latter takes; None if too few are found."""
    program, reference, name, seed = job
    expected, r, cases = call(reference, name), random.Random(seed), []
    late = time.monotonic() + 3
    while len(cases) < 30 and time.monotonic() < late:
        arguments = some_arguments(r, expected.__code__.co_argcount)
        wanted = limited(0.1, lambda: (expected(*copy.deepcopy(arguments)),))
        if wanted is not None:
            cases.append((arguments, wanted[0]))
    if len(cases) < 5:
        return None

    def same():
        actual = call(program, name)
        return all(actual(*copy.deepcopy(arguments)) == wanted for arguments, wanted in cases)

    return bool(limited(2.0, same))


def hasty(plan):
    return plan.startswith(corpus.HASTY)


def evaluate(net, layout, r_length, a_length, tasks, pool, log, most, seed):
    """The table of starter scores, groups at temperature 0.8, and answers to programs drawn from the corpus."""
    table, answers = [], None
    tasks = tasks[:most]
    prompts = [t["prompt"] for t in tasks]
    settings = [("gauss_seidel", 0.9, 0.92, True), ("gauss_seidel", 0.9, 0.92, False)] + [(m, t, t, False) for m in ("gauss_seidel", "jacobi") for t in (0.1, 0.3, 0.5, 0.7, 0.9, 0.99)]
    for mode, tau_r, tau_a, one_token in settings:
        texts, plans, passes, committed = lockstep(net, layout, prompts, r_length, a_length, mode, tau_r, tau_a, one_token)
        verdicts = pool.map(verdict, list(zip(texts, tasks)))
        row = {"mode": mode, "tau_r": tau_r, "tau_a": tau_a, "one_token": one_token, "base": sum(b for b, _ in verdicts) / len(tasks), "plus": sum(p for _, p in verdicts) / len(tasks), "passes": sum(passes) / len(tasks), "tokens_per_pass": sum(committed) / sum(passes), "hasty": sum(map(hasty, plans)) / len(tasks)}
        table.append(row)
        log(json.dumps(row))
        if one_token:
            answers = [{"task_id": t["task_id"], "base": b, "plus": p, "plan": plan, "answer": text} for t, (b, p), plan, text in zip(tasks, verdicts, plans, texts)]
    generator = torch.Generator(device=net.embed.device).manual_seed(seed)
    right = [0] * len(tasks)
    texts, plans, _, _ = lockstep(net, layout, prompts * 8, r_length, a_length, "gauss_seidel", 0.9, 0.92, temperature=0.8, generator=generator)
    for i, (_, plus) in enumerate(pool.map(verdict, list(zip(texts, tasks * 8)))):
        right[i % len(tasks)] += plus
    groups = {"temperature": 0.8, "groups": len(tasks), "mixed": sum(0 < g < 8 for g in right), "right": sum(right) / 8 / len(tasks), "hasty": sum(map(hasty, plans)) / len(plans), "right_of_8": right}
    log(json.dumps(groups))

    drawn = {}
    held, source = corpus.held_out(), corpus.Corpus(seed - 1, forbidden_keys=frozenset(), haste=0)
    sets = {"trained compositions": [], "held-out compositions": []}
    while min(map(len, sets.values())) < most:
        program = source.draw()
        chosen = sets["held-out compositions" if program.key in held else "trained compositions"]
        if len(chosen) < most:
            chosen.append(program)
    for name, programs in sets.items():
        for one_token in (True, False):
            texts, plans, passes, _ = lockstep(net, layout, [p.prompt for p in programs], r_length, a_length, "gauss_seidel", 0.9, 0.92, one_token)
            same = pool.map(agrees, [(text, p.answer, p.entry_point, i) for i, (text, p) in enumerate(zip(texts, programs))])
            known = [s for s in same if s is not None]
            row = {"set": name, "one_token": one_token, "programs": len(known), "right": sum(known) / max(1, len(known)), "passes": sum(passes) / len(programs)}
            log(json.dumps(row))
            if one_token:
                drawn[name] = row | {"wrong": [{"key": p.key, "prompt": p.prompt, "plan": plan, "answer": text} for p, text, plan, s in zip(programs, texts, plans, same) if s is False][:60]}
    return {"table": table, "groups": groups, "drawn": drawn, "answers": answers}
