"""Trains dream-tiny: Dream's architecture at six million parameters, on programs from corpus.py.

    python3 train.py --out $OUT --minutes 14 --stop-after 500
    python3 train.py --out $OUT --start MODEL --within 550

Needs PyTorch, numpy and tokenizers; one GPU for a useful result. Stopped by --stop-after (seconds) before
--minutes of training are done, the same command goes on where it stopped. --out then holds model.tar (the
checkpoint folder as on the Hugging Face hub), train.log, scores.json and, until training is done, the state.
With --start the tokenizer and the weights of such a folder are what training begins with.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import multiprocessing
import os
import pathlib
import queue
import random
import shutil
import struct
import tarfile
import time

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy
import torch
import torch.nn.functional as F
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import nn

import corpus
import scores

HERE = pathlib.Path(__file__).parent
STATE = HERE / ".state"
STARTER = HERE.parent.parent / "datasets/src/main/resources/ai/lockstep/datasets/starter.jsonl"
SEED = 20251124
R_LENGTH, A_LENGTH = 32, 80
# Rows of a batch have one length, so that nothing is padded and attention needs no mask: what a prompt leaves
# goes to block A, which so is seen at every length from A_LENGTH up.
ROW_LENGTHS = (160, 192)
SHARD = 8192
VOCABULARY = 1960
# The cut into pieces of Dream's tokenizer (tokenization_dream.py): a digit is a piece of its own.
PIECES = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
PRE_TOKENIZER = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(PIECES), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
ADDED = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>", "<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<|beginoftext|>", "<|mask|>"]
NOT_SPECIAL = set(ADDED[14:22])
SCORING = 60  # seconds that scores.py and writing the model may take on a GPU
SHAPE = {"hidden": 256, "layers": 7, "heads": 8, "kv_heads": 2, "intermediate": 704}


def train_tokenizer(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = PRE_TOKENIZER
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=alphabet, special_tokens=[], show_progress=False))
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

    def forward(self, ids, real=None, dtype=torch.float32):
        """real marks the tokens that are no padding; None where all are real."""
        batch, length = ids.shape
        heads, kv_heads = self.shape["heads"], self.shape["kv_heads"]
        size = self.shape["hidden"] // heads
        x = F.embedding(ids, self.embed).to(dtype)
        frequency = 1e6 ** (-torch.arange(0, size, 2, device=ids.device).float() / size)
        angle = torch.outer(torch.arange(length, device=ids.device).float(), frequency)
        angle = torch.cat([angle, angle], -1)
        cos, sin = angle.cos(), angle.sin()
        rotate = lambda t: (t * cos + torch.cat([-t[..., size // 2:], t[..., : size // 2]], -1) * sin).to(t.dtype)
        every_head = lambda t: t[:, :, None].expand(-1, -1, heads // kv_heads, -1, -1).reshape(batch, heads, length, size)
        linear = lambda t, module: F.linear(t, module.weight.to(dtype), None if module.bias is None else module.bias.to(dtype))
        norm = lambda t, weight: F.rms_norm(t.float(), t.shape[-1:], weight, 1e-6).to(dtype)
        mask = None if real is None else real[:, None, None, :]
        for layer in self.layers:
            r = norm(x, layer.input_layernorm)
            split = lambda t, n: t.view(batch, length, n, size).transpose(1, 2)
            q, k, v = split(linear(r, layer.q_proj), heads), split(linear(r, layer.k_proj), kv_heads), split(linear(r, layer.v_proj), kv_heads)
            a = F.scaled_dot_product_attention(rotate(q), every_head(rotate(k)), every_head(v), attn_mask=mask)
            x = x + linear(a.transpose(1, 2).reshape(batch, length, -1), layer.o_proj)
            r = norm(x, layer.post_attention_layernorm)
            x = x + linear(F.silu(linear(r, layer.gate_proj)) * linear(r, layer.up_proj), layer.down_proj)
        logits = F.linear(norm(x, self.norm), self.head.to(dtype))
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


class Layout:
    """Ids of a row: prompt, [R], block R, [A], block A; blocks end in end tokens."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.eos = tokenizer.get_vocab_size()
        self.mask = self.eos + len(ADDED) - 1
        self.known = self.eos + len(ADDED)
        self.r_open, self.a_open = self.encode("[R]"), self.encode("[A]")

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def shard(self, programs):
        """For each of ROW_LENGTHS: int16 rows, whose last four columns are where R and A begin and end."""
        rows = {n: [] for n in ROW_LENGTHS}
        for p in programs:
            prompt, plan, answer = self.encode(p.prompt), self.encode(p.plan), self.encode(p.answer)
            if len(plan) >= R_LENGTH or len(answer) >= A_LENGTH:
                continue
            r = len(prompt) + len(self.r_open)
            a = r + R_LENGTH + len(self.a_open)
            length = next((n for n in ROW_LENGTHS if a + A_LENGTH <= n), None)
            if length is None:
                continue
            row = prompt + self.r_open + plan + [self.eos] * (R_LENGTH - len(plan)) + self.a_open + answer
            rows[length].append(row + [self.eos] * (length - len(row)) + [r, r + len(plan), a, a + len(answer)])
        return [numpy.array(rows[n], dtype=numpy.int16).reshape(-1, n + 4) for n in ROW_LENGTHS]


def produce(tokenizer_text, first, step, shards):
    """Puts shards of fresh programs into a queue for ever; the seed decides each."""
    layout = Layout(Tokenizer.from_str(tokenizer_text))
    forbidden = corpus.forbidden_forms(STARTER)
    seed = first
    while True:
        source = corpus.Corpus(seed, forbidden_forms=forbidden)
        shards.put(layout.shard(source.draw() for _ in range(SHARD)))
        seed += step


class Rows:
    """The newest rows of every length, on the device."""

    def __init__(self, layout, capacity, device):
        self.layout = layout
        self.rings = [torch.zeros(capacity, n + 4, dtype=torch.int16, device=device) for n in ROW_LENGTHS]
        self.filled, self.next, self.drawn = ([0] * len(ROW_LENGTHS) for _ in range(3))

    def add(self, shard):
        for i, rows in enumerate(shard):
            ring, rows = self.rings[i], torch.from_numpy(rows)
            start = self.next[i] if self.next[i] + len(rows) <= len(ring) else 0
            ring[start:start + len(rows)] = rows.to(ring.device, non_blocking=True)
            self.next[i] = start + len(rows)
            self.filled[i] = max(self.filled[i], self.next[i])
            self.drawn[i] += len(rows)

    def batch(self, size, which):
        """(noisy, ids, masked) of rows of one length."""
        ring, length = self.rings[which], ROW_LENGTHS[which]
        device = ring.device
        rows = ring[torch.randint(0, self.filled[which], (size,), device=device)].long()
        ids, (r, r_end, a, a_end) = rows[:, :length], rows[:, length:, None].unbind(1)
        position = torch.arange(length, device=device)[None]
        in_r, in_a = (position >= r) & (position < r + R_LENGTH), position >= a
        masked_r, masked_a = self.hidden_shares(size, device)
        noise = torch.rand(ids.shape, device=device)
        hide_r, hide_a = noise < masked_r, noise < masked_a
        # Decoding commits end tokens from the far end towards the text, long before it knows the text. How far
        # they have come must not tell where the text ends: the gap is uniform and drawn apart from the noise.
        gap = lambda share, block: (torch.rand(size, 1, device=device) * (block * share + 2)).long()
        ends_a = position >= a_end
        hide_a = torch.where(ends_a, position < a_end + gap(masked_a, A_LENGTH), hide_a)
        ordered = torch.rand(size, 1, device=device) < 0.7
        hide_r = torch.where((position >= r_end) & ordered, position < r_end + gap(masked_r, R_LENGTH), hide_r)
        masked = (in_r & hide_r) | (in_a & hide_a)
        return torch.where(masked, self.layout.mask, ids), ids, masked

    @staticmethod
    def hidden_shares(size, device):
        """How much of R and of A is hidden: R ahead of A as in decoding, R known, nothing known, or drawn apart."""
        kind = torch.rand(size, 1, device=device)
        share_a, other = torch.rand(size, 1, device=device), torch.rand(size, 1, device=device)
        ahead = (share_a * 1.25 - 0.75 * other).clamp(0, 1)
        share_r = torch.where(kind < 0.4, ahead, torch.where(kind < 0.7, 0.0, torch.where(kind < 0.8, 1.0, other)))
        share_a = torch.where((kind >= 0.75) & (kind < 0.85), 1.0, share_a)
        return share_r, share_a


class Muon(torch.optim.Optimizer):
    """Momentum whose update is made orthogonal (Jordan et al. 2024, Muon), matrices of one shape at a time."""

    def __init__(self, parameters, rate, momentum=0.95, decay=0.05):
        super().__init__(parameters, {"lr": rate, "momentum": momentum, "decay": decay})

    @staticmethod
    def orthogonal(g):
        """Five Newton-Schulz steps in bfloat16 towards the nearest orthogonal matrix."""
        x = g.bfloat16()
        tall = x.shape[-2] > x.shape[-1]
        x = x.mT if tall else x
        x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
        for _ in range(5):
            y = x @ x.mT
            x = 3.4445 * x + (-4.7750 * y + 2.0315 * y @ y) @ x
        return x.mT if tall else x

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                shapes.setdefault(p.shape, []).append(p)
            for shape, parameters in shapes.items():
                gradients = [p.grad for p in parameters]
                buffers = [self.state[p].setdefault("momentum", torch.zeros_like(p)) for p in parameters]
                torch._foreach_lerp_(buffers, gradients, 1 - group["momentum"])
                nesterov = torch._foreach_lerp(gradients, buffers, group["momentum"])
                update = self.orthogonal(torch.stack(nesterov)) * max(1, shape[0] / shape[1]) ** 0.5
                torch._foreach_mul_(parameters, 1 - group["lr"] * group["decay"])
                torch._foreach_add_(parameters, list(update.float().unbind(0)), alpha=-group["lr"])


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


def read_tokenizer(folder):
    """The tokenizer of a checkpoint folder that export has written."""
    tokenizer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = PRE_TOKENIZER
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def read_weights(net, folder):
    """Fills a net with the weights of a checkpoint folder that export has written."""
    data = (folder / "model.safetensors").read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    with torch.no_grad():
        for name, tensor in net.tensors().items():
            first, last = header[name]["data_offsets"]
            tensor.copy_(torch.frombuffer(bytearray(data[start + first:start + last]), dtype=torch.bfloat16).view(header[name]["shape"]))


def save_state(state, folder, piece=15 << 20):
    """In pieces, each small enough to travel."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    folder.mkdir(parents=True, exist_ok=True)
    remove_state(folder)
    for i, start in enumerate(range(0, buffer.getbuffer().nbytes, piece)):
        (folder / f"state.{i:02}").write_bytes(buffer.getbuffer()[start:start + piece])


def load_state(folder):
    pieces = sorted(folder.glob("state.*"))
    return torch.load(io.BytesIO(b"".join(p.read_bytes() for p in pieces)), map_location="cpu", weights_only=False) if pieces else None


def remove_state(folder):
    for old in folder.glob("state.*"):
        old.unlink()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=14.0, help="of training, over all calls")
    parser.add_argument("--stop-after", type=float, default=math.inf, help="seconds of this call")
    parser.add_argument("--within", type=float, help="seconds of a single call: instead of --minutes, trains for what getting ready and scoring leave")
    parser.add_argument("--start", type=pathlib.Path, help="checkpoint folder to begin with")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--rate", type=float, default=3e-3, help="of AdamW: embeddings, head, norms and biases")
    parser.add_argument("--muon-rate", type=float, default=0.012, help="of the layers' matrices")
    parser.add_argument("--capacity", type=int, default=1_000_000, help="newest rows kept, for each length")
    parser.add_argument("--tasks", type=int, default=400, help="to score, of each set; 0 scores nothing")
    options = parser.parse_args()
    began = time.time()
    options.out.mkdir(parents=True, exist_ok=True)
    STATE.mkdir(exist_ok=True)
    log_file = open(STATE / "train.log", "a")

    def log(line):
        print(line, flush=True)
        log_file.write(line + "\n")
        log_file.flush()

    state = load_state(STATE)
    forks, workers = multiprocessing.get_context("fork"), max(1, len(os.sched_getaffinity(0)) - 2)
    if state is not None:
        tokenizer = Tokenizer.from_str(state["tokenizer"])
    elif options.start:
        tokenizer = read_tokenizer(options.start)
    else:
        first = corpus.Corpus(SEED)
        programs = [first.draw() for _ in range(40_000)]
        tokenizer = train_tokenizer("\n".join((p.prompt, p.plan, p.answer)) for p in programs)
    layout, calls = Layout(tokenizer), 0 if state is None else state["calls"]
    shards = forks.Queue(maxsize=64)
    # Seeds of one call are behind those of the call before it: no stream of programs is drawn twice.
    producers = [forks.Process(target=produce, args=(tokenizer.to_str(), SEED + 1 + calls * 1_000_000 + i, workers, shards), daemon=True) for i in range(workers)]
    for producer in producers:
        producer.start()
    judges = forks.Pool(workers)

    # From here on CUDA may be used: nothing is forked after this.
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(SEED + calls)
    random.seed(SEED + calls)
    net = Dream(-(-layout.known // 32) * 32, SHAPE).to(device)
    matrices = [p for n, p in net.named_parameters() if "layers" in n and p.dim() == 2]
    others = [p for n, p in net.named_parameters() if not ("layers" in n and p.dim() == 2)]
    muon = Muon(matrices, options.muon_rate)
    adam = torch.optim.AdamW(others, lr=options.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=device == "cuda")
    step, trained, seen = 0, 0.0, 0
    if state is None and options.start:
        read_weights(net, options.start)
    if state is not None:
        net.load_state_dict(state["net"])
        muon.load_state_dict(state["muon"])
        adam.load_state_dict(state["adam"])
        step, trained, seen = state["step"], state["trained"], state["seen"]
    dtype = torch.bfloat16 if device == "cuda" else torch.float32

    def loss_of(noisy, ids, masked):
        logits = net(noisy, None, dtype)
        losses = F.cross_entropy(logits.float().flatten(0, 1), ids.flatten(), reduction="none").view(ids.shape)
        return (losses * masked).sum() / masked.sum()

    fast = torch.compile(loss_of, dynamic=False) if device == "cuda" else loss_of
    rows = Rows(layout, options.capacity, device)
    while min(rows.filled) < 4 * options.batch:
        rows.add(shards.get())
    step_on = lambda which: fast(*rows.batch(options.batch, which))
    for which in range(len(ROW_LENGTHS)):  # Compiling is no training time.
        step_on(which).backward()
        net.zero_grad(set_to_none=True)
    log(f"device={torch.cuda.get_device_name() if device == 'cuda' else device} vocabulary={layout.eos} parameters={sum(p.numel() for p in net.parameters())} workers={workers} step={step} trained={trained:.0f} start={options.start.name if options.start else None} rates={options.rate},{options.muon_rate} ready={time.time() - began:.0f}")

    budget, losses = options.minutes * 60, []
    if options.within:
        budget = max(1, options.within - SCORING - (time.time() - began))
    clock = last_line = time.time()
    while trained < budget and clock - began < options.stop_after:
        # The schedule follows the time trained, so that a slower machine still ends at rate zero.
        share = min(1, (step + 1) / 300) * min(1, (1 - trained / budget) / 0.7)
        muon.param_groups[0]["lr"], adam.param_groups[0]["lr"] = options.muon_rate * share, options.rate * share
        loss = step_on(random.choices(range(len(ROW_LENGTHS)), rows.drawn)[0])
        loss.backward()
        nn.utils.clip_grad_norm_(others, 1.0)
        muon.step()
        adam.step()
        net.zero_grad(set_to_none=True)
        step += 1
        losses.append(loss.detach())
        try:
            rows.add(shards.get_nowait())
        except queue.Empty:
            pass
        if step % 20 == 0 and device == "cuda":
            torch.cuda.synchronize()
        trained += time.time() - clock
        clock = time.time()
        if clock - last_line > 20:
            log(f"step={step} loss={torch.stack(losses).mean().item():.4f} trained={trained:.0f} fresh_rows={seen + sum(rows.drawn)} rows_trained={step * options.batch} rate={share:.3f}")
            last_line, losses = clock, []
    done = trained >= budget
    log(f"{'finished' if done else 'stopped'} step={step} trained={trained:.0f} of {budget:.0f} fresh_rows={seen + sum(rows.drawn)} call={time.time() - began:.0f}")
    for producer in producers:
        producer.terminate()
    if not done:
        save_state({"net": net.state_dict(), "muon": muon.state_dict(), "adam": adam.state_dict(), "tokenizer": tokenizer.to_str(), "step": step, "trained": trained, "seen": seen + sum(rows.drawn), "calls": calls + 1}, STATE)
    export(net, tokenizer, STATE / "model")
    with tarfile.open(options.out / "model.tar", "w") as tar:
        tar.add(STATE / "model", "model")

    # Scores are in true float32, of the weights as they are stored.
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(parameter.to(torch.bfloat16).float())
    torch.set_float32_matmul_precision("highest")
    if options.tasks:
        tasks = [json.loads(line) for line in STARTER.read_text().splitlines()]
        result = scores.evaluate(net.eval(), layout, R_LENGTH, A_LENGTH, tasks, judges, log, options.tasks, SEED)
        (options.out / "scores.json").write_text(json.dumps(result, indent=1) + "\n")
    judges.terminate()
    log(f"call={time.time() - began:.0f}")
    for name in ["train.log"] + ([] if done else [p.name for p in STATE.glob("state.*")]):
        shutil.copy(STATE / name, options.out / name)


if __name__ == "__main__":
    main()
