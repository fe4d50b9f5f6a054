"""The forward of ModelBenchmark's full passes in eager PyTorch, as modeling_dream.py does it.

Usage: eager_forward.py cpu|cuda dream-7b|CONFIG.json
"""

import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F

DREAM_7B = {
    "vocab_size": 152064, "hidden_size": 3584, "intermediate_size": 18944,
    "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
    "rope_theta": 1e6, "rms_norm_eps": 1e-6,
}
TARGETS = 128


def main(device, model):
    config = DREAM_7B if model == "dream-7b" else json.load(open(model))
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    size, vocab = hidden // heads, config["vocab_size"]

    def random(*shape):
        return torch.empty(*shape, dtype=dtype, device=device).normal_(0, 0.02)

    layers = [
        {
            "input": random(hidden) + 1, "post": random(hidden) + 1,
            "q": random(heads * size, hidden), "qb": random(heads * size),
            "k": random(kv_heads * size, hidden), "kb": random(kv_heads * size),
            "v": random(kv_heads * size, hidden), "vb": random(kv_heads * size),
            "o": random(hidden, heads * size), "gate": random(inner, hidden),
            "up": random(inner, hidden), "down": random(hidden, inner),
        }
        for _ in range(config["num_hidden_layers"])
    ]
    embedding, norm, head = random(vocab, hidden), random(hidden) + 1, random(vocab, hidden)

    def rms(x, weight):
        h = x.float()
        h = h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + config["rms_norm_eps"])
        return weight * h.to(x.dtype)

    def rotated(x):
        a, b = x.chunk(2, -1)
        return torch.cat([-b, a], -1)

    def forward(ids):
        rows, length = ids.shape
        inverse = config["rope_theta"] ** (-torch.arange(0, size, 2, device=device).float() / size)
        angle = torch.arange(length, device=device).float()[:, None] * inverse
        angle = torch.cat([angle, angle], -1)
        cos, sin = angle.cos().to(dtype), angle.sin().to(dtype)
        x = F.embedding(ids, embedding)
        for w in layers:
            h = rms(x, w["input"])
            q = F.linear(h, w["q"], w["qb"]).view(rows, length, heads, size).transpose(1, 2)
            k = F.linear(h, w["k"], w["kb"]).view(rows, length, kv_heads, size).transpose(1, 2)
            v = F.linear(h, w["v"], w["vb"]).view(rows, length, kv_heads, size).transpose(1, 2)
            q = q * cos + rotated(q) * sin
            k = k * cos + rotated(k) * sin
            k = k.repeat_interleave(heads // kv_heads, 1)
            v = v.repeat_interleave(heads // kv_heads, 1)
            a = F.scaled_dot_product_attention(q, k, v)
            x = x + F.linear(a.transpose(1, 2).reshape(rows, length, heads * size), w["o"])
            h = rms(x, w["post"])
            x = x + F.linear(F.silu(F.linear(h, w["gate"])) * F.linear(h, w["up"]), w["down"])
        z = F.linear(rms(x[:, -TARGETS - 1 : -1], norm), head).float()
        p = torch.softmax(z, -1)
        top, token = p.max(-1)
        return top.cpu(), token.cpu()

    with torch.inference_mode():
        for rows, length in ((1, 768), (8, 768), (32, 512)):
            ids = torch.randint(0, vocab, (rows, length), device=device)
            times = []
            for i in range(7):
                start = time.perf_counter()
                forward(ids)
                if i >= 2:
                    times.append(time.perf_counter() - start)
            print(f"eager Python, torch {torch.__version__}: full pass {rows} x {length}: "
                  f"{1e3 * statistics.median(times):.3f} ms", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
