"""Trains dream-tiny: Dream's architecture at a few million parameters, on programs from corpus.py.

    python3 train.py --out model --minutes 7 --starter starter.jsonl

Writes a checkpoint folder as on the Hugging Face hub (config.json, model.safetensors in bfloat16, slow
tokenizer files) and scores.json. Needs PyTorch and tokenizers, and one GPU for a useful result.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import pathlib
import struct
import time

import torch
import torch.nn.functional as F
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import nn

import corpus

SEED = 20251124
R_LENGTH, A_LENGTH, PROMPT_LENGTH = 48, 160, 112
# The cut into pieces of Dream's tokenizer (tokenization_dream.py): a digit is a piece of its own.
PIECES = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
ADDED = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>", "<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<|beginoftext|>", "<|mask|>"]
NOT_SPECIAL = set(ADDED[14:22])
SHAPE = {"hidden": 256, "layers": 7, "heads": 8, "kv_heads": 2, "intermediate": 704}


def programs(job):
    """A share of the corpus; the seed decides it."""
    seed, count, forbidden = job
    source = corpus.Corpus(seed, forbidden_forms=forbidden)
    return [(p.prompt, p.plan, p.answer) for p in (source.draw() for _ in range(count))]


def train_tokenizer(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PIECES), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=1200, initial_alphabet=alphabet, special_tokens=[], show_progress=False))
    return tokenizer


class Layer(nn.Module):
    def __init__(self, hidden, heads, kv_heads, intermediate):
        super().__init__()
        head = hidden // heads
        self.input_layernorm = nn.Parameter(torch.ones(hidden))
        self.q_proj = nn.Linear(hidden, hidden)
        self.k_proj = nn.Linear(hidden, kv_heads * head)
        self.v_proj = nn.Linear(hidden, kv_heads * head)
        self.o_proj = nn.Linear(hidden, hidden, bias=False)
        self.post_attention_layernorm = nn.Parameter(torch.ones(hidden))
        self.gate_proj = nn.Linear(hidden, intermediate, bias=False)
        self.up_proj = nn.Linear(hidden, intermediate, bias=False)
        self.down_proj = nn.Linear(intermediate, hidden, bias=False)


class Dream(nn.Module):
    """Bidirectional Qwen2; forward returns logits already shifted: [i] predicts token i."""

    def __init__(self, vocabulary, shape):
        super().__init__()
        self.shape = shape
        hidden = shape["hidden"]
        self.embed = nn.Parameter(torch.empty(vocabulary, hidden))
        self.head = nn.Parameter(torch.empty(vocabulary, hidden))
        self.norm = nn.Parameter(torch.ones(hidden))
        self.layers = nn.ModuleList(Layer(hidden, shape["heads"], shape["kv_heads"], shape["intermediate"]) for _ in range(shape["layers"]))
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, ids, real):
        batch, length = ids.shape
        heads, kv_heads = self.shape["heads"], self.shape["kv_heads"]
        size = self.shape["hidden"] // heads
        x = F.embedding(ids, self.embed)
        frequency = 1e6 ** (-torch.arange(0, size, 2, device=ids.device).float() / size)
        angle = torch.outer(torch.arange(length, device=ids.device).float(), frequency)
        angle = torch.cat([angle, angle], -1)
        cos, sin = angle.cos(), angle.sin()
        rotate = lambda t: (t * cos + torch.cat([-t[..., size // 2:], t[..., : size // 2]], -1) * sin).to(t.dtype)
        for layer in self.layers:
            r = F.rms_norm(x, x.shape[-1:], layer.input_layernorm, 1e-6)
            split = lambda t, n: t.view(batch, length, n, size).transpose(1, 2)
            q, k, v = split(layer.q_proj(r), heads), split(layer.k_proj(r), kv_heads), split(layer.v_proj(r), kv_heads)
            a = F.scaled_dot_product_attention(rotate(q), rotate(k), v, attn_mask=real[:, None, None, :], enable_gqa=True)
            x = x + layer.o_proj(a.transpose(1, 2).reshape(batch, length, -1))
            r = F.rms_norm(x, x.shape[-1:], layer.post_attention_layernorm, 1e-6)
            x = x + layer.down_proj(F.silu(layer.gate_proj(r)) * layer.up_proj(r))
        logits = F.linear(F.rms_norm(x, x.shape[-1:], self.norm, 1e-6), self.head)
        return torch.cat([logits[:, :1], logits[:, :-1]], 1)

    def tensors(self):
        """Name on the hub to tensor."""
        named = {"model.embed_tokens.weight": self.embed, "lm_head.weight": self.head, "model.norm.weight": self.norm}
        for i, layer in enumerate(self.layers):
            for name, parameter in layer.named_parameters():
                part = name.split(".")[0]
                group = "self_attn." if part[0] in "qkvo" and part.endswith("_proj") and len(part) == 6 else "mlp." if part.endswith("_proj") else ""
                named[f"model.layers.{i}.{group}{name if '.' in name else name + '.weight'}"] = parameter
        return named


class Rows:
    """Training rows on the device: prompt at the right edge, [R] R [A] A as the decoder lays them out."""

    def __init__(self, tokenizer, texts, device):
        self.eos = tokenizer.get_vocab_size()
        self.mask = self.eos + len(ADDED) - 1
        encode = lambda column: [e.ids for e in tokenizer.encode_batch([t[column] for t in texts], add_special_tokens=False)]
        r_open, a_open = tokenizer.encode("[R]").ids, tokenizer.encode("[A]").ids
        length = PROMPT_LENGTH + len(r_open) + R_LENGTH + len(a_open) + A_LENGTH
        rows, starts = [], []
        for prompt, plan, answer in zip(encode(0), encode(1), encode(2)):
            if len(prompt) > PROMPT_LENGTH or len(plan) >= R_LENGTH or len(answer) >= A_LENGTH:
                continue
            row = prompt + r_open + plan + [self.eos] * (R_LENGTH - len(plan)) + a_open + answer + [self.eos] * (A_LENGTH - len(answer))
            starts.append(length - len(row))
            rows.append([self.eos] * (length - len(row)) + row)
        self.kept = len(rows)
        self.ids = torch.tensor(rows, dtype=torch.int16).to(device)
        self.start = torch.tensor(starts, device=device)
        position = torch.arange(length, device=device)
        self.position = position
        self.in_r = (position >= PROMPT_LENGTH + len(r_open)) & (position < PROMPT_LENGTH + len(r_open) + R_LENGTH)
        self.in_a = position >= length - A_LENGTH

    def batch(self, size):
        """(ids, noisy, real, masked): R and A hidden at ratios drawn apart, ends of text often known."""
        device = self.ids.device
        pick = torch.randint(0, len(self.ids), (size,), device=device)
        ids, real = self.ids[pick].long(), self.position[None] >= self.start[pick][:, None]
        kind = torch.rand(size, 1, device=device)
        ratio_r, ratio_a = torch.rand(size, 1, device=device), torch.rand(size, 1, device=device)
        ratio_r = torch.where(kind < 0.25, 0.0, torch.where(kind < 0.45, 1.0, ratio_r))
        ratio_a = torch.where((kind > 0.4) & (kind < 0.55), 1.0, ratio_a)
        noise = torch.rand(ids.shape, device=device)
        masked = (self.in_r & (noise < ratio_r)) | (self.in_a & (noise < ratio_a))
        # Decoding commits end tokens first, so a hidden program usually sees its ends.
        known = (torch.rand(size, 1, device=device) < 0.5) & (ids == self.eos) & (torch.rand(ids.shape, device=device) < torch.rand(size, 1, device=device))
        masked &= ~known
        return ids, torch.where(masked, self.mask, ids), real, masked


def lockstep(net, tokenizer, prompts, mode, tau_r, tau_a, one_token=False, temperature=0.0, fill=0.4, generator=None):
    """Lockstep R/A decoding in float32: texts of A, passes and committed tokens of each row."""
    device = net.embed.device
    known = tokenizer.get_vocab_size() + len(ADDED)
    eos, mask = known - len(ADDED), known - 1
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    rows = [encode(p) + encode("[R]") + [mask] * R_LENGTH + encode("[A]") + [mask] * A_LENGTH for p in prompts]
    length = max(map(len, rows))
    x = torch.tensor([[eos] * (length - len(r)) + r for r in rows], device=device)
    real = torch.tensor([[False] * (length - len(r)) + [True] * len(r) for r in rows], device=device)
    a0 = length - A_LENGTH
    r0 = a0 - len(encode("[A]")) - R_LENGTH
    blocks = ((r0, R_LENGTH, tau_r), (a0, A_LENGTH, tau_a))
    passes = torch.zeros(len(rows), device=device)
    committed = torch.zeros(len(rows), device=device)
    sweeps = max(R_LENGTH, A_LENGTH)

    def commit(z, start, size, tau, sweep):
        span = x[:, start:start + size]
        hidden = span == mask
        logits = z[:, start:start + size].float()
        logits[..., mask] = -math.inf
        logits[..., known:] = -math.inf
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
        before = span == eos
        span = torch.where(chosen, token, span)
        ends = (span == eos).float()
        if start == a0:
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
    cut = lambda ids: tokenizer.decode(ids[: ids.index(eos)] if eos in ids else ids)
    return [cut(row) for row in x[:, a0:].tolist()], [cut(row) for row in x[:, r0:r0 + R_LENGTH].tolist()], passes.tolist(), committed.tolist()


def verdict(job):
    """(base, plus) of one program, in a process of its own, stopped after two seconds."""
    import signal
    solution, task = job
    results = []
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError()))
    for part in ("base_input", "plus_input"):
        signal.setitimer(signal.ITIMER_REAL, 2.0)
        try:
            expected, actual = {}, {}
            exec(task["prompt"] + task["canonical_solution"], expected)
            exec(solution, actual)
            ok = True
            for arguments in task[part]:
                want = expected[task["entry_point"]](*json.loads(json.dumps(arguments)))
                got = actual[task["entry_point"]](*json.loads(json.dumps(arguments)))
                same = abs(want - got) <= task["atol"] + 1e-9 if isinstance(want, float) and isinstance(got, (int, float)) else want == got
                ok = ok and bool(same)
            results.append(ok)
        except BaseException:
            results.append(False)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    return results[0], results[0] and results[1]


def evaluate(net, tokenizer, tasks, pool, seconds):
    """The score table, the settings at one token a pass first."""
    began, table = time.time(), []
    prompts = [t["prompt"] for t in tasks]
    settings = [("gauss_seidel", 0.9, 0.92, True)] + [(m, t, t, False) for m in ("gauss_seidel", "jacobi") for t in (0.3, 0.5, 0.7, 0.9, 0.99)] + [("gauss_seidel", 0.9, 0.92, False)]
    answers = None
    for mode, tau_r, tau_a, one_token in settings:
        if time.time() - began > seconds:
            break
        texts, plans, passes, committed = lockstep(net, tokenizer, prompts, mode, tau_r, tau_a, one_token)
        verdicts = pool.map(verdict, list(zip(texts, tasks)))
        row = {"mode": mode, "tau_r": tau_r, "tau_a": tau_a, "one_token": one_token, "base": sum(b for b, _ in verdicts) / len(tasks), "plus": sum(p for _, p in verdicts) / len(tasks), "passes": sum(passes) / len(tasks), "tokens_per_pass": sum(committed) / sum(passes)}
        table.append(row)
        print(json.dumps(row), flush=True)
        if one_token:
            answers = [{"task_id": t["task_id"], "base": b, "plus": p, "plan": plan, "answer": text} for t, (b, p), plan, text in zip(tasks, verdicts, plans, texts)]
    generator = torch.Generator(device=net.embed.device).manual_seed(SEED)
    groups = [0] * len(tasks)
    texts, _, _, _ = lockstep(net, tokenizer, prompts * 8, "gauss_seidel", 0.9, 0.92, temperature=0.8, generator=generator)
    for i, (_, plus) in enumerate(pool.map(verdict, list(zip(texts, tasks * 8)))):
        groups[i % len(tasks)] += plus
    group = {"temperature": 0.8, "groups": len(tasks), "mixed": sum(0 < g < 8 for g in groups), "right_of_8": groups}
    print(json.dumps(group), flush=True)
    return {"table": table, "groups": group, "answers": answers}


def export(net, tokenizer, out):
    """The checkpoint folder, as on the hub: no tokenizer.json."""
    out.mkdir(parents=True, exist_ok=True)
    write = lambda name, value: (out / name).write_text(json.dumps(value, ensure_ascii=False) + "\n")
    shape, eos = net.shape, tokenizer.get_vocab_size()
    mask = eos + len(ADDED) - 1
    write("config.json", {"architectures": ["DreamModel"], "attention_dropout": 0.0, "model_type": "Dream", "hidden_act": "silu", "hidden_size": shape["hidden"], "intermediate_size": shape["intermediate"], "num_hidden_layers": shape["layers"], "num_attention_heads": shape["heads"], "num_key_value_heads": shape["kv_heads"], "initializer_range": 0.02, "max_position_embeddings": 2048, "max_window_layers": shape["layers"], "rms_norm_eps": 1e-06, "rope_scaling": None, "rope_theta": 1000000.0, "sliding_window": None, "use_sliding_window": False, "use_mrope": False, "tie_word_embeddings": False, "torch_dtype": "bfloat16", "use_cache": False, "vocab_size": net.embed.shape[0], "mask_token_id": mask, "pad_token_id": eos, "eos_token_id": eos, "bos_token_id": eos, "transformers_version": "4.46.2"})
    write("generation_config.json", {"_from_model_config": True, "alg": "origin", "alg_temp": None, "bos_token_id": eos, "eos_token_id": eos, "eps": 0.001, "mask_token_id": None, "output_history": False, "pad_token_id": eos, "steps": 512, "temperature": 0.0, "top_k": None, "top_p": None, "transformers_version": "4.46.2"})
    added = lambda t: {"content": t, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    write("added_tokens.json", {t: eos + i for i, t in enumerate(ADDED)})
    write("special_tokens_map.json", {"bos_token": added("<|beginoftext|>"), "eos_token": added("<|endoftext|>"), "mask_token": added("<|mask|>"), "pad_token": added("<|endoftext|>"), "additional_special_tokens": ["<|beginoftext|>", "<|mask|>"]})
    write("tokenizer_config.json", {"add_prefix_space": False, "added_tokens_decoder": {str(eos + i): {**added(t), "special": t not in NOT_SPECIAL} for i, t in enumerate(ADDED)}, "additional_special_tokens": ["<|beginoftext|>", "<|mask|>"], "bos_token": "<|beginoftext|>", "clean_up_tokenization_spaces": False, "eos_token": "<|endoftext|>", "errors": "replace", "mask_token": "<|mask|>", "model_max_length": 2048, "pad_token": "<|endoftext|>", "tokenizer_class": "DreamTokenizer", "unk_token": None})
    tokenizer.model.save(str(out))
    merges = out / "merges.txt"
    lines = merges.read_text().splitlines()
    merges.write_text("\n".join(["#version: 0.2"] + [l for l in lines if not l.startswith("#version")]) + "\n")
    tensors = {n: t.detach().to(torch.bfloat16).contiguous().cpu() for n, t in sorted(net.tensors().items())}
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * 2
        header[name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(out / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.view(torch.int16).numpy().tobytes())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--starter", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=7.0, help="of training")
    parser.add_argument("--rows", type=int, default=1_200_000)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--rate", type=float, default=2e-3)
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(SEED)
    torch.set_float32_matmul_precision("high")
    began = time.time()
    tasks = [json.loads(line) for line in options.starter.read_text().splitlines()]
    forbidden = frozenset(corpus.normal_form(t["prompt"] + t["canonical_solution"]) for t in tasks)
    workers = os.cpu_count() or 1
    pool = multiprocessing.get_context("fork").Pool(workers)
    shares = workers * 4
    texts = [t for part in pool.imap(programs, [(SEED + i, options.rows // shares, forbidden) for i in range(shares)]) for t in part]
    texts = list(dict.fromkeys(texts))
    tokenizer = train_tokenizer("\n".join(t) for t in texts[:60000])
    rows = Rows(tokenizer, texts, device)
    net = Dream(-(-(tokenizer.get_vocab_size() + len(ADDED)) // 32) * 32, SHAPE).to(device)
    print(f"device={device} distinct={len(texts)} kept={rows.kept} vocabulary={tokenizer.get_vocab_size()} parameters={sum(p.numel() for p in net.parameters())} seconds={time.time() - began:.0f}", flush=True)
    optimizer = torch.optim.AdamW(net.parameters(), lr=options.rate, weight_decay=0.01, betas=(0.9, 0.98))
    fast = torch.compile(net) if device == "cuda" else net
    start, step, saved, ids = time.time(), 0, 0.0, None
    while True:
        done = (time.time() - start) / (options.minutes * 60)
        if done >= 1:
            break
        # The schedule follows the clock, so that a slower machine still ends at rate zero.
        for group in optimizer.param_groups:
            group["lr"] = options.rate * min(1, (step + 1) / 400) * 0.5 * (1 + math.cos(math.pi * done))
        ids, noisy, real, masked = rows.batch(options.batch)
        with torch.autocast(device, torch.bfloat16):
            logits = fast(noisy, real)
        weight = masked * torch.where(ids == rows.eos, 0.2, 1.0)
        losses = F.cross_entropy(logits.float().flatten(0, 1), ids.flatten(), reduction="none").view(ids.shape)
        loss = (losses * weight).sum() / weight.sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        if step % 500 == 0:
            print(f"step={step} loss={loss.item():.4f} seconds={time.time() - start:.0f}", flush=True)
            if time.time() - saved > 100:
                export(net, tokenizer, options.out)
                saved = time.time()
        step += 1
    print(f"steps={step} loss={loss.item():.4f} seconds={time.time() - start:.0f}", flush=True)
    export(net, tokenizer, options.out)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(parameter.to(torch.bfloat16).float())
    # Scores are in true float32, of the weights as they are stored.
    torch.set_float32_matmul_precision("highest")
    scores = evaluate(net.eval(), tokenizer, tasks, pool, 90)
    (options.out / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")


if __name__ == "__main__":
    main()
