"""Compares the fragment search of sanitize.py with trying every range, on texts put together at
random from lines that break parsers in different ways. Usage: every_range.py SANITIZE_PY COUNT"""

import importlib.util
import random
import sys

spec = importlib.util.spec_from_file_location("sanitize", sys.argv[1])
sanitize = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sanitize)

LINES = """\
def f(x):
    return x
  return 1
    y = (1,
    2)
x = [
]
import os
if x:
elif y:
else:
try:
except:
    pass
@cache
class C:
x = 1
x = 1; y = 2
# margin
    # indented
It's prose.
A prose line
```python
```
'''
\"\"\"
x = '''a
b'''
f'''{
}'''
f'{a b}'
print 3
f(a=1, b)
foo(a b)
(
)
]
1st
a\\
'open
\tx = 1
a = b =
for i in x:
async def g():
match x:
  case 1:
?
\u201cquoted\u201d
x\x00y
\ud800
""".split("\n") + ["", "", "  ", "\x0c", "a\rb"]


def every_range(text):
    lines = text.split("\n")
    best, fragment = 0, lines[0]
    for start in range(len(lines)):
        for end in range(start + 1, len(lines)):
            candidate = "\n".join(lines[start : end + 1])
            score = sum(1 for line in lines[start : end + 1] if line.strip())
            if score > best and sanitize._parse(candidate) is not None:
                best, fragment = score, candidate
    return fragment


numbers = random.Random(20)
for _ in range(int(sys.argv[2])):
    text = "\n".join(numbers.choice(LINES) for _ in range(numbers.randrange(1, 14)))
    found, expected = sanitize._longest_fragment(text)[0], every_range(text)
    if found != expected:
        sys.exit(f"text {text!r}\nfound {found!r}\nexpected {expected!r}")
print("all agree")
