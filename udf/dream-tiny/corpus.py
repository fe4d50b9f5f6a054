"""The training corpus of dream-tiny: small Python programs composed from a grammar.

A program is a *composition*: a source of elements, filters, maps, an order, a reduction, or a
shape of its own (recurrence, conditional, formula, dictionary, text). The composition is all of the
meaning except constants. Wording, names, constants and coding style are drawn around it: a style is
drawn once per program and kept inside it, so that its tokens depend on each other. That dependence is
what a parallel decoder can get wrong, and what a corpus with one way of writing things lacks.

Some programs are written in haste and slip wherever they can, as people's do: a comparison too wide, a default that is
not the one asked for, a range too short, duplicates or negative numbers forgotten (SLIPS). Their plans say so from the
first word: CAREFUL ones begin otherwise than HASTY ones. So samples of one task differ, what goes wrong is decided where
the plan begins, and some programs pass the simple tests only. Haste is never the likelier way: the best single answer is right.

Names hold words from anywhere and words that mean nothing, so that a name has to be copied, not guessed.

Held-out compositions (held_out.json) are never generated, in any wording, style or constant; nor is a program
that equals, but for its names, one of the starter suite or of a published benchmark (forbidden_forms.txt).

    python3 corpus.py 20 7        # prints 20 programs drawn with seed 7
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import hashlib
import json
import keyword
import pathlib
import random
import re
import sys

HERE = pathlib.Path(__file__).parent
HELD_OUT_FILE = HERE / "held_out.json"
FORBIDDEN_FILE = HERE / "forbidden_forms.txt"
BUILTINS = frozenset(dir(builtins))


@dataclasses.dataclass(frozen=True)
class Program:
    """One training row: what is asked (prompt), the plan (R) and the whole program (A)."""

    key: str
    prompt: str
    plan: str
    answer: str
    entry_point: str


class Rejected(Exception):
    """This draw has no sensible program; draw again."""


class Dice(random.Random):
    """Randomness of one corpus, and whether the program that is being written is written in haste."""

    def __init__(self, seed, haste):
        super().__init__(seed)
        self.haste, self.hasty = haste, False

    def begin(self):
        """Draws how the next program is written."""
        self.hasty = self.random() < self.haste

    def slip(self, key, *codes):
        """The codes; in haste the same ones with the slip that people make with this operation."""
        pairs = SLIPS.get(key, ())
        if not pairs or not self.hasty:
            return codes
        slipped = []
        for code in codes:
            for right, wrong in pairs:
                head, found, tail = code.rpartition(right)
                code = head + wrong + tail if found else code
            slipped.append(code)
        return tuple(slipped)


# --------------------------------------------------------------------------- operations


@dataclasses.dataclass(frozen=True)
class Op:
    """One stage of a pipeline.

    said: noun phrases; filters use {n} (a plural noun), maps and orders use {s} (what they act on).
    told: imperatives for step-by-step docstrings; empty for filters, which derive theirs from said.
    code: equally correct expressions in {x} (an element) or {v} (a whole sequence).
    """

    key: str
    said: tuple
    plan: tuple
    code: tuple
    told: tuple = ()
    constant: str = ""
    to: str = ""
    words: tuple = ()


def op(key, said, plan, code, told="", constant="", to="", words=""):
    split = lambda text: tuple(part.strip() for part in text.split("|")) if text else ()
    return Op(key, split(said), split(plan), split(code), split(told), constant, to, split(words))


INT_FILTERS = [
    op("even", "even {n}|{n} that are even", "keep even|even only", "{x} % 2 == 0|not {x} % 2", words="even|evens"),
    op("odd", "odd {n}|{n} that are odd", "keep odd|odd only", "{x} % 2 == 1|{x} % 2 != 0", words="odd|odds"),
    op("positive", "positive {n}|{n} greater than zero|{n} above zero", "keep positive|positive only", "{x} > 0", words="positive|positives"),
    op("negative", "negative {n}|{n} less than zero|{n} below zero", "keep negative|negative only", "{x} < 0", words="negative|negatives"),
    op("nonnegative", "non-negative {n}|{n} that are not negative", "keep non-negative", "{x} >= 0", words="nonnegative"),
    op("nonzero", "nonzero {n}|{n} that are not zero|non-zero {n}", "keep nonzero", "{x} != 0", words="nonzero"),
    op("greater", "{n} greater than {k}|{n} larger than {k}|{n} above {k}|{n} bigger than {k}", "keep > {k}|above {k}", "{x} > {k}", constant="num", words="above|greater|large|over|big"),
    op("less", "{n} less than {k}|{n} smaller than {k}|{n} below {k}", "keep < {k}|below {k}", "{x} < {k}", constant="num", words="below|less|small|under"),
    op("atleast", "{n} that are at least {k}|{n} not smaller than {k}|{n} greater than or equal to {k}", "keep >= {k}|at least {k}", "{x} >= {k}", constant="num", words="at_least|min"),
    op("atmost", "{n} that are at most {k}|{n} not greater than {k}|{n} less than or equal to {k}", "keep <= {k}|at most {k}", "{x} <= {k}", constant="num", words="at_most|up_to"),
    op("multiple", "{n} divisible by {k}|{n} that are multiples of {k}|multiples of {k}", "keep multiples of {k}|divisible by {k}", "{x} % {k} == 0", constant="mod", words="multiples|divisible"),
    op("notmultiple", "{n} not divisible by {k}|{n} that are not divisible by {k}|{n} that are not multiples of {k}", "drop multiples of {k}|not divisible by {k}", "{x} % {k} != 0", constant="mod", words="not_divisible|others"),
    op("ends", "{n} ending in {k}|{n} whose last digit is {k}|{n} that end in {k}", "keep last digit {k}|ending in {k}", "abs({x}) % 10 == {k}", constant="digit", words="ending|ends"),
    op("other", "{n} different from {k}|{n} other than {k}|{n} not equal to {k}", "keep != {k}|drop {k}", "{x} != {k}", constant="num", words="without|except|different"),
    op("onedigit", "single-digit {n}|{n} with a single digit|one-digit {n}", "keep one digit", "abs({x}) < 10|-10 < {x} < 10", words="single_digit|small"),
    op("between", "{n} between {k} and {k2}|{n} from {k} to {k2}|{n} between {k} and {k2} inclusive", "keep {k}..{k2}|between {k} and {k2}", "{k} <= {x} <= {k2}|{x} >= {k} and {x} <= {k2}", constant="span", words="between|in_range"),
    op("prime", "prime {n}|{n} that are prime|primes among the {n}", "keep primes|prime only", "{x} > 1 and all({x} % d for d in range(2, {x}))", words="prime|primes"),
]

INT_MAPS = [
    op("square", "the squares of {s}", "square|square each", "{x} * {x}|{x} ** 2", "square each of them|square every one|replace each by its square", to="int", words="square|squares|squared"),
    op("cube", "the cubes of {s}", "cube|cube each", "{x} ** 3|{x} * {x} * {x}", "cube each of them|raise each to the third power", to="int", words="cube|cubes|cubed"),
    op("double", "the doubles of {s}|twice {s}", "double|double each", "{x} * 2|2 * {x}", "double each of them|double every one|multiply each by two", to="int", words="double|doubles|doubled|twice"),
    op("halve", "the halves, rounded down, of {s}|the integer halves of {s}", "halve|integer halves", "{x} // 2", "halve each of them, rounding down|divide each by two, rounding down", to="int", words="half|halves|halved"),
    op("negate", "the negatives of {s}|the opposites of {s}", "negate|negate each", "-{x}", "negate each of them|flip the sign of each|change the sign of each", to="int", words="negated|opposite|flipped"),
    op("abs", "the absolute values of {s}|the magnitudes of {s}", "absolute values|abs", "abs({x})", "take the absolute value of each|replace each by its absolute value", to="int", words="absolute|abs|magnitude"),
    op("add", "{s} increased by {k}|{s} plus {k}|{s}, each increased by {k}", "add {k}", "{x} + {k}", "add {k} to each of them|add {k} to every one|increase each by {k}", "num", "int", "increased|plus|add|shifted"),
    op("subtract", "{s} decreased by {k}|{s} minus {k}|{s}, each reduced by {k}", "subtract {k}", "{x} - {k}", "subtract {k} from each of them|decrease each by {k}|reduce each by {k}", "num", "int", "decreased|minus|subtract|reduced"),
    op("multiply", "{s} multiplied by {k}|{k} times {s}|{s}, each multiplied by {k}", "multiply by {k}|times {k}", "{x} * {k}|{k} * {x}", "multiply each of them by {k}|multiply every one by {k}|scale each by {k}", "mod", "int", "times|scaled|multiplied"),
    op("remainder", "the remainders of {s} modulo {k}|the remainders of {s} when divided by {k}|{s} modulo {k}", "modulo {k}|remainder by {k}", "{x} % {k}", "take each modulo {k}|replace each by its remainder modulo {k}|take the remainder of each by {k}", "mod", "int", "remainder|remainders|mod|modulo"),
    op("lastdigit", "the last digits of {s}", "last digit", "abs({x}) % 10", "take the last digit of each|replace each by its last digit", to="int", words="last_digit|last_digits"),
    op("digitsum", "the digit sums of {s}", "digit sum", "sum(int(d) for d in str(abs({x})))|sum(map(int, str(abs({x}))))", "take the digit sum of each|replace each by the sum of its digits", to="int", words="digit_sum|digit_sums"),
    op("digitcount", "the digit counts of {s}|the numbers of digits of {s}", "digit count", "len(str(abs({x})))", "take the number of digits of each|replace each by its number of digits", to="int", words="digit_count|digits|digit_lengths"),
    op("cap", "{s} capped at {k}|{s}, each capped at {k}|{s} limited to at most {k}", "cap at {k}", "min({x}, {k})", "cap each at {k}|limit each to at most {k}", "num", "int", "capped|limited|cap"),
    op("floor", "{s} raised to at least {k}|{s}, each raised to at least {k}", "raise to {k}", "max({x}, {k})", "raise each to at least {k}|replace those below {k} by {k}", "num", "int", "raised|at_least"),
    op("distance", "the distances of {s} from {k}|the absolute differences between {s} and {k}", "distance from {k}", "abs({x} - {k})", "take the distance of each from {k}", "num", "int", "distance|distances|gap"),
    op("tostring", "{s} as strings|{s} converted to strings", "to strings|as strings", "str({x})", "convert each to a string|turn each into a string", to="word", words="strings|text|str"),
]

CHAR_FILTERS = [
    op("vowel", "vowels|{n} that are vowels", "keep vowels|vowels only", "{x} in 'aeiouAEIOU'|{x}.lower() in 'aeiou'", words="vowel|vowels"),
    op("notvowel", "{n} that are not vowels|non-vowel {n}", "drop vowels|no vowels", "{x} not in 'aeiouAEIOU'|{x}.lower() not in 'aeiou'", words="no_vowels|without_vowels|drop_vowels"),
    op("consonant", "consonants|{n} that are consonants", "keep consonants", "{x}.isalpha() and {x}.lower() not in 'aeiou'", words="consonant|consonants"),
    op("digit", "digits|{n} that are digits", "keep digits|digits only", "{x}.isdigit()", words="digit|digits"),
    op("notdigit", "{n} that are not digits|non-digit {n}", "drop digits|no digits", "not {x}.isdigit()", words="no_digits|without_digits|drop_digits"),
    op("letter", "letters|alphabetic {n}|{n} that are letters", "keep letters|letters only", "{x}.isalpha()", words="letter|letters|alpha"),
    op("alnum", "letters and digits|alphanumeric {n}|{n} that are letters or digits", "keep alphanumeric|letters and digits", "{x}.isalnum()", words="alphanumeric|alnum"),
    op("upper", "uppercase letters|upper case letters|capital letters|{n} in upper case", "keep upper case|capitals only", "{x}.isupper()", words="upper|uppercase|capitals|capital"),
    op("lower", "lowercase letters|lower case letters|{n} in lower case", "keep lower case|lower only", "{x}.islower()", words="lower|lowercase"),
    op("notspace", "{n} that are not spaces|non-space {n}|{n} other than spaces", "drop spaces|no spaces", "{x} != ' '", words="no_spaces|without_spaces|nonspace"),
    op("notchar", "{n} other than '{k}'|{n} different from '{k}'", "drop '{k}'", "{x} != '{k}'", constant="letter", words="without|except|other"),
    op("punct", "punctuation {n}|{n} that are neither letters, digits nor spaces", "keep punctuation", "not {x}.isalnum() and not {x}.isspace()|not ({x}.isalnum() or {x}.isspace())", words="punctuation|symbols"),
]

CHAR_MAPS = [
    op("toupper", "{s} in upper case|{s} converted to upper case|the upper case forms of {s}", "upper case|to upper", "{x}.upper()", "convert each to upper case|make each upper case|change each to upper case", to="char", words="upper|uppercase|shout"),
    op("tolower", "{s} in lower case|{s} converted to lower case|the lower case forms of {s}", "lower case|to lower", "{x}.lower()", "convert each to lower case|make each lower case|change each to lower case", to="char", words="lower|lowercase"),
    op("swap", "{s} with their case swapped|{s} in swapped case", "swap case", "{x}.swapcase()", "swap the case of each", to="char", words="swap|swapped|swapcase"),
    op("twice", "{s}, each doubled|{s}, each written twice|{s} repeated twice each", "write twice|double each", "{x} * 2|{x} + {x}", "write each twice|double each|repeat each twice", to="char", words="doubled|twice|double"),
    op("code", "the character codes of {s}|the code points of {s}", "code points|ord", "ord({x})", "take the code point of each|replace each by its character code", to="int", words="codes|code_points|ord"),
]

WORD_FILTERS = [
    op("longer", "{n} longer than {k} characters|{n} with more than {k} letters|{n} longer than {k}", "keep length > {k}|longer than {k}", "len({x}) > {k}", constant="len", words="long|longer"),
    op("shorter", "{n} shorter than {k} characters|{n} with fewer than {k} letters|{n} shorter than {k}", "keep length < {k}|shorter than {k}", "len({x}) < {k}", constant="len", words="short|shorter"),
    op("exact", "{n} of length {k}|{n} with exactly {k} letters|{n} with exactly {k} characters", "keep length {k}", "len({x}) == {k}", constant="len", words="exact|of_length"),
    op("atleastlong", "{n} with at least {k} letters|{n} of length at least {k}|{n} with at least {k} characters", "keep length >= {k}", "len({x}) >= {k}", constant="len", words="long|at_least"),
    op("evenlong", "{n} of even length|{n} with an even number of letters", "keep even length", "len({x}) % 2 == 0", words="even|even_length"),
    op("oddlong", "{n} of odd length|{n} with an odd number of letters", "keep odd length", "len({x}) % 2 == 1|len({x}) % 2 != 0", words="odd|odd_length"),
    op("starts", "{n} starting with '{k}'|{n} that start with '{k}'|{n} that begin with '{k}'", "keep starting with '{k}'|starts with '{k}'", "{x}.startswith('{k}')", constant="letter", words="starting|starts|prefix"),
    op("endsin", "{n} ending with '{k}'|{n} that end with '{k}'|{n} ending in '{k}'", "keep ending with '{k}'|ends with '{k}'", "{x}.endswith('{k}')", constant="letter", words="ending|ends|suffix"),
    op("contains", "{n} containing '{k}'|{n} that contain '{k}'|{n} that contain the letter '{k}'", "keep containing '{k}'|contains '{k}'", "'{k}' in {x}", constant="letter", words="containing|with_letter|contains"),
    op("lacks", "{n} without '{k}'|{n} that do not contain '{k}'|{n} without the letter '{k}'", "drop containing '{k}'|without '{k}'", "'{k}' not in {x}", constant="letter", words="without|lacking"),
    op("vowelstart", "{n} starting with a vowel|{n} that start with a vowel|{n} that begin with a vowel", "keep vowel start|vowel start", "{x}[0] in 'aeiouAEIOU'|{x}[0].lower() in 'aeiou'", words="vowel|vowel_start"),
    op("capitalised", "capitalized {n}|{n} starting with a capital letter|{n} that start with a capital letter", "keep capitalized|capital start", "{x}[0].isupper()", words="capitalized|proper|capital"),
    op("palindrome", "palindromes|{n} that are palindromes|{n} that read the same backwards", "keep palindromes|palindromes only", "{x} == {x}[::-1]", words="palindrome|palindromes|mirror"),
    op("numeric", "numeric {n}|{n} made only of digits|{n} that consist of digits only", "keep numeric|digits only", "{x}.isdigit()", words="numeric|digits"),
    op("alphabetic", "alphabetic {n}|{n} made only of letters|{n} that consist of letters only", "keep alphabetic|letters only", "{x}.isalpha()", words="alphabetic|letters|alpha"),
    op("uppercase", "{n} in upper case|uppercase {n}|{n} written in capitals", "keep upper case", "{x}.isupper()", words="upper|uppercase|capitals"),
    op("lowercase", "{n} in lower case|lowercase {n}", "keep lower case", "{x}.islower()", words="lower|lowercase"),
    op("sameends", "{n} whose first and last letters are equal|{n} that start and end with the same letter", "keep same ends", "{x}[0] == {x}[-1]", words="same_ends|matching"),
]

WORD_MAPS = [
    op("reverseword", "{s}, each reversed|{s} spelled backwards|the reverses of {s}", "reverse each|reverse words", "{x}[::-1]|''.join(reversed({x}))", "reverse each of them|reverse each word|spell each backwards", to="word", words="reverse|reversed|backwards"),
    op("toupper", "{s} in upper case|{s} converted to upper case", "upper case|to upper", "{x}.upper()", "convert each to upper case|make each upper case|change each to upper case", to="word", words="upper|uppercase|shout"),
    op("tolower", "{s} in lower case|{s} converted to lower case", "lower case|to lower", "{x}.lower()", "convert each to lower case|make each lower case|change each to lower case", to="word", words="lower|lowercase"),
    op("capitalize", "{s}, each capitalized|{s} capitalized", "capitalize|capitalize each", "{x}.capitalize()", "capitalize each of them|capitalize each word|capitalize each", to="word", words="capitalize|capitalized|title"),
    op("swap", "{s} with their case swapped|{s} in swapped case", "swap case", "{x}.swapcase()", "swap the case of each", to="word", words="swap|swapped|swapcase"),
    op("length", "the lengths of {s}", "lengths|length of each", "len({x})", "take the length of each|replace each by its length", to="int", words="length|lengths"),
    op("first", "the first letters of {s}|the initials of {s}|the first characters of {s}", "first letters|initials", "{x}[0]", "take the first letter of each|take the initial of each|take the first character of each", to="char", words="first|initials|first_letters"),
    op("last", "the last letters of {s}|the final letters of {s}|the last characters of {s}", "last letters", "{x}[-1]", "take the last letter of each|take the last character of each", to="char", words="last|last_letters|final"),
    op("headless", "{s} without their first letter|{s} without their first character", "drop first letter", "{x}[1:]", "remove the first letter of each|drop the first character of each", to="word", words="headless|tail|without_first"),
    op("tailless", "{s} without their last letter|{s} without their last character", "drop last letter", "{x}[:-1]", "remove the last letter of each|drop the last character of each", to="word", words="trimmed|without_last|cut"),
    op("prefix", "the first {k} letters of {s}|the first {k} characters of {s}", "first {k} letters", "{x}[:{k}]", "keep the first {k} letters of each|cut each to {k} characters", "count", "word", "prefix|prefixes|short"),
    op("twice", "{s}, each written twice|{s}, each repeated twice", "write twice|double each", "{x} * 2|{x} + {x}", "write each twice|repeat each twice", to="word", words="doubled|twice|repeat"),
    op("exclaim", "{s}, each followed by '{k}'|{s} with '{k}' added to each", "append '{k}'", "{x} + '{k}'", "append '{k}' to each|add '{k}' to the end of each", "mark", "word", "append|suffix|marked"),
    op("prepend", "{s}, each preceded by '{k}'|{s} with '{k}' put before each", "prepend '{k}'", "'{k}' + {x}", "put '{k}' before each|prepend '{k}' to each", "mark", "word", "prepend|tagged|prefixed"),
    op("vowelcount", "the vowel counts of {s}|the numbers of vowels in {s}", "count vowels of each", "sum(c in 'aeiouAEIOU' for c in {x})|sum(1 for c in {x} if c in 'aeiouAEIOU')", "take the number of vowels in each|count the vowels in each", to="int", words="vowel_counts|vowels"),
]

ORDERS = [
    op("ascending", "{s} in increasing order|{s} in ascending order|{s} sorted in increasing order|{s}, sorted", "sort|sort ascending", "sorted({v})", "sort them in increasing order|sort them in ascending order|sort them", words="sorted|sort|ascending|ordered"),
    op("descending", "{s} in decreasing order|{s} in descending order|{s} sorted in decreasing order", "sort descending", "sorted({v}, reverse=True)|sorted({v})[::-1]", "sort them in decreasing order|sort them in descending order", words="descending|sorted_down|desc"),
    op("reverse", "{s} in reverse order|{s} in reversed order", "reverse", "{v}[::-1]|list(reversed({v}))", "reverse their order|reverse the order|put them in reverse order", words="reverse|reversed|backwards"),
    op("unique", "{s} without duplicates|{s} without repetitions|{s} without duplicates, keeping first occurrences", "remove duplicates|unique", "list(dict.fromkeys({v}))", "remove duplicates, keeping the first occurrence|remove duplicates|drop repeated ones", words="unique|distinct|dedupe"),
    op("sortedset", "{s} without duplicates in increasing order|the distinct values of {s} in increasing order", "unique, sort", "sorted(set({v}))", "remove duplicates and sort them in increasing order", words="sorted_unique|unique_sorted|distinct"),
    op("first", "the first {k} of {s}", "first {k}", "{v}[:{k}]", "take the first {k}|keep the first {k}", "count", words="first|head|take"),
    op("last", "the last {k} of {s}", "last {k}", "{v}[-{k}:]", "take the last {k}|keep the last {k}", "count", words="last|tail"),
    op("skip", "{s} except the first {k}|all but the first {k} of {s}", "skip {k}", "{v}[{k}:]", "skip the first {k}|drop the first {k}", "count", words="skip|rest|drop_first"),
    op("alternate", "every second one of {s}|every other one of {s}", "every second", "{v}[::2]", "take every second one, starting with the first|keep every other one, starting with the first", words="alternate|every_other|every_second"),
    op("smallest", "the {k} smallest of {s}|the {k} smallest of {s} in increasing order", "{k} smallest", "sorted({v})[:{k}]", "take the {k} smallest in increasing order", "count", words="smallest|lowest"),
    op("largest", "the {k} largest of {s}|the {k} largest of {s} in decreasing order", "{k} largest", "sorted({v}, reverse=True)[:{k}]", "take the {k} largest in decreasing order", "count", words="largest|top|highest"),
    op("bylength", "{s} sorted by length|{s} ordered by length", "sort by length", "sorted({v}, key=len)", "sort them by length|order them by length", words="by_length|sort_by_length"),
    op("runningsum", "the running sums of {s}|the running totals of {s}|the cumulative sums of {s}", "running sums", "[sum({v}[:i + 1]) for i in range(len({v}))]", "replace them by their running sums|take running totals", words="running|cumulative|running_sum"),
    op("runningmax", "the running maxima of {s}|the running maximum of {s}", "running maxima", "[max({v}[:i + 1]) for i in range(len({v}))]", "replace them by their running maxima", words="running_max|peaks"),
    op("gaps", "the differences between neighbouring values of {s}|the gaps between consecutive {s}", "neighbour differences", "[b - a for a, b in zip({v}, {v}[1:])]", "take the differences between neighbours", words="gaps|differences|deltas"),
]
ORDERS_OF = {
    "int": [o for o in ORDERS if o.key != "bylength"],
    "float": [o for o in ORDERS if o.key in ("ascending", "descending", "reverse", "first", "last")],
    "char": [o for o in ORDERS if o.key in ("ascending", "descending", "reverse", "unique", "sortedset", "first", "last", "skip", "alternate")],
    "word": [o for o in ORDERS if o.key in ("ascending", "descending", "reverse", "unique", "sortedset", "first", "last", "skip", "alternate", "bylength")],
}


@dataclasses.dataclass(frozen=True)
class Fold:
    """A reduction: expressions over a list {v} or a generator {g}, and the loop that says the same.

    empty: what the docstring adds about empty sequences. A loop is (start, update, end) in {r} and {e}.
    """

    key: str
    said: tuple
    told: tuple
    plan: tuple
    of_list: tuple
    of_generator: tuple
    loop: tuple
    names: tuple
    empty: tuple = ("",)
    words: tuple = ()
    recursive: tuple = ()


def fold(key, said, told, plan, of_list, of_generator="", loop="", names="result|res|out", empty="", words="", recursive=()):
    split = lambda text: tuple(part.strip() for part in text.split("|")) if text else ()
    loops = tuple(tuple(part.split("~")) for part in split(loop))
    return Fold(key, split(said), split(told), split(plan), split(of_list), split(of_generator), loops,
                split(names), split(empty) or ("",), split(words), recursive)


SUM = fold("sum", "the sum of {s}|the total of {s}", "return their sum|return the sum|add them up and return the total", "sum|add up", "sum({v})", "sum({g})", "{r} = 0~{r} += {e}~return {r}", "total|result|acc|s", words="sum|total|add", recursive=("0", "{e} + {rest}"))
COUNT = fold("count", "the number of {s}|how many {s} there are|the count of {s}", "return how many remain|return how many there are|return their number|count them", "count", "len({v})", "sum(1 for {g1})|len([{g}])", "{r} = 0~{r} += 1~return {r}", "count|total|result|found", words="count|number_of|num|how_many", recursive=("0", "1 + {rest}"))
PRODUCT = fold("product", "the product of {s}", "return their product|multiply them together and return the product|return the product", "product|multiply all", "", "", "{r} = 1~{r} *= {e}~return {r}", "product|result|acc|total", "|The product of no values is 1.|An empty product is 1.", words="product|multiply|prod", recursive=("1", "{e} * {rest}"))
MAXIMUM = [
    fold("max" + str(d), "the largest of {s}|the maximum of {s}|the greatest of {s}", "return the largest|return the maximum", f"max or {d}|largest", f"max({{v}}) if {{v}} else {d}|max({{v}}, default={d})", f"max(({{g}}), default={d})", loop, "best|largest|result|top", f", or {d} if there are none|, or {d} if there is none|, or {d} when there is none", words="max|largest|maximum|biggest")
    for d, loop in ((None, "{r} = None~if {r} is None or {e} > {r}:\n    {r} = {e}~return {r}"), (0, ""), (-1, ""))
]
MINIMUM = [
    fold("min" + str(d), "the smallest of {s}|the minimum of {s}|the least of {s}", "return the smallest|return the minimum", f"min or {d}|smallest", f"min({{v}}) if {{v}} else {d}|min({{v}}, default={d})", f"min(({{g}}), default={d})", loop, "best|smallest|result|low", f", or {d} if there are none|, or {d} if there is none|, or {d} when there is none", words="min|smallest|minimum|lowest")
    for d, loop in ((None, "{r} = None~if {r} is None or {e} < {r}:\n    {r} = {e}~return {r}"), (0, ""), (-1, ""))
]
MEAN = fold("mean", "the average of {s}|the mean of {s}", "return their average|return the mean", "average|mean", "sum({v}) / len({v}) if {v} else 0.0", "", "{r} = 0\nn_{r} = 0~{r} += {e}\nn_{r} += 1~return {r} / n_{r} if n_{r} else 0.0", "total|acc|s", ", or 0.0 if there are none|, or 0.0 when there is none", words="average|mean|avg")
SPREAD = fold("spread", "the difference between the largest and the smallest of {s}|the range (largest minus smallest) of {s}", "return the difference between the largest and the smallest", "max minus min|spread", "max({v}) - min({v}) if {v} else 0", "", "", empty=", or 0 if there are none|, or 0 when there is none", words="spread|range|span")
LIST = fold("list", "a list of {s}|the list of {s}|{s} as a list|{s}", "return the list|return the resulting list|return them as a list|return the result", "list|return list", "{v}", "[{g}]", "{r} = []~{r}.append({e})~return {r}", "result|out|res|kept|found|items", words="|list|get|all", recursive=("[]", "[{e}] + {rest}"))
DISTINCT = fold("distinct", "the number of different values among {s}|the number of distinct values among {s}|how many different values there are among {s}", "return how many different ones there are|return the number of distinct ones", "count distinct", "len(set({v}))", "len({{g}})|len(set({g}))", "{r} = set()~{r}.add({e})~return len({r})", "seen|found|distinct", words="distinct|unique|different")
TALLY = fold("tally", "a dictionary that counts how often each of {s} occurs|a dictionary with the number of occurrences of each of {s}|a dictionary from each of {s} to how often it occurs", "return a dictionary that counts how often each occurs|count how often each occurs and return the dictionary", "tally|count each", "{x_: {v}.count(x_) for x_ in {v}}", "", "{r} = {}~{r}[{e}] = {r}.get({e}, 0) + 1~return {r}", "counts|freq|tally|result|seen", words="count|tally|frequency|histogram")
FIRST = fold("first", "the first of {s}", "return the first one|return the first", "first or None", "{v}[0] if {v} else None", "next(({g}), None)", "~return {e}~return None", empty=", or None if there are none|, or None if there is none", words="first|find|find_first", recursive=("None", "{e}"))
LAST = fold("last", "the last of {s}", "return the last one|return the last", "last or None", "{v}[-1] if {v} else None", "", "{r} = None~{r} = {e}~return {r}", "result|last|found", ", or None if there are none|, or None if there is none", words="last|final|find_last")
JOINS = [
    fold("join" + name, f"{{s}} joined by {said}|{{s}} joined with {said}|a string with {{s}} joined by {said}", f"return them joined by {said}|join them with {said} and return the string", f"join with {said}", f"{sep}.join({{v}})", f"{sep}.join({{g}})", words=w)
    for name, said, sep, w in (("space", "spaces", "' '", "join|joined"), ("comma", "commas", "','", "csv|join|comma"), ("dash", "dashes", "'-'", "dashed|join|hyphen"))
]
CONCAT = fold("concat", "{s} as a string|a string of {s}|{s} joined into one string|the string made of {s}", "return the resulting string|return the string|join them into one string|return them as one string", "join|string", "''.join({v})", "''.join({g})", "{r} = ''~{r} += {e}~return {r}", "result|out|res|text_out", words="|string|text|make", recursive=("''", "{e} + {rest}"))
LONGEST = fold("longest", "the longest of {s}", "return the longest", "longest", "max({v}, key=len, default='')|max({v}, key=len) if {v} else ''", "max(({g}), key=len, default='')", "{r} = ''~if len({e}) > len({r}):\n    {r} = {e}~return {r}", "best|longest|result", ", or '' if there are none|, or the empty string if there are none", words="longest|find_longest")
SHORTEST = fold("shortest", "the shortest of {s}", "return the shortest", "shortest", "min({v}, key=len, default='')|min({v}, key=len) if {v} else ''", "min(({g}), key=len, default='')", "", "best|shortest|result", ", or '' if there are none|, or the empty string if there are none", words="shortest|find_shortest")
LETTERS = fold("letters", "the total length of {s}|the total number of characters in {s}", "return their total length|return the total number of characters", "total length", "sum(len(w_) for w_ in {v})|sum(map(len, {v}))", "sum(map(len, [{g}]))", "{r} = 0~{r} += len({e})~return {r}", "total|result|count", words="total_length|total_letters|letters")
BY_LENGTH = fold("bylen", "a dictionary that groups {s} by length|a dictionary from length to the list of {s} of that length", "group them by length and return the dictionary", "group by length", "", "", "{r} = {}~{r}.setdefault(len({e}), []).append({e})~return {r}", "groups|result|by_length", words="group|by_length")
BY_INITIAL = fold("byinitial", "a dictionary that groups {s} by first letter|a dictionary from first letter to the list of {s} starting with it", "group them by first letter and return the dictionary", "group by first letter", "", "", "{r} = {}~{r}.setdefault({e}[0], []).append({e})~return {r}", "groups|result|index", words="group|by_letter|index")
BY_PARITY = fold("byparity", "a dictionary that groups {s} by parity under the keys 'even' and 'odd', with empty lists where there are none|a dictionary with the keys 'even' and 'odd' that splits {s} by parity", "split them by parity into a dictionary with the keys 'even' and 'odd'", "split by parity", "", "", "{r} = {'even': [], 'odd': []}~{r}['even' if {e} % 2 == 0 else 'odd'].append({e})~return {r}", "groups|result|parts", words="parity|split|group")
BY_DIGIT = fold("bydigit", "a dictionary that groups {s} by their last digit|a dictionary from last digit to the list of {s} ending in it", "group them by last digit and return the dictionary", "group by last digit", "", "", "{r} = {}~{r}.setdefault(abs({e}) % 10, []).append({e})~return {r}", "groups|result|buckets", words="group|by_digit|buckets")
TO_LENGTH = fold("tolength", "a dictionary from each of {s} to its length|a dictionary that maps each of {s} to its length", "return a dictionary from each to its length", "map to length", "{w_: len(w_) for w_ in {v}}", "", "{r} = {}~{r}[{e}] = len({e})~return {r}", "lengths|result|sizes", words="lengths|length_map|sizes")
TO_SQUARE = fold("tosquare", "a dictionary from each of {s} to its square|a dictionary that maps each of {s} to its square", "return a dictionary from each to its square", "map to square", "{x_: x_ * x_ for x_ in {v}}|{x_: x_ ** 2 for x_ in {v}}", "", "{r} = {}~{r}[{e}] = {e} * {e}~return {r}", "squares|result|table", words="square_map|squares|table")

FOLDS_OF = {
    "int": [SUM, SUM, COUNT, COUNT, PRODUCT, *MAXIMUM, *MINIMUM, MEAN, SPREAD, LIST, LIST, LIST, DISTINCT, TALLY, FIRST, LAST, BY_PARITY, BY_DIGIT, TO_SQUARE],
    "float": [SUM, COUNT, MAXIMUM[0], MINIMUM[0], MEAN, LIST, SPREAD],
    "char": [CONCAT, CONCAT, CONCAT, COUNT, COUNT, LIST, DISTINCT, TALLY, FIRST, LAST, JOINS[2], JOINS[1]],
    "word": [*JOINS, JOINS[0], LIST, LIST, COUNT, COUNT, LONGEST, SHORTEST, LETTERS, DISTINCT, TALLY, BY_LENGTH, BY_INITIAL, TO_LENGTH, FIRST, LAST, CONCAT],
}
FILTERS_OF = {"int": INT_FILTERS, "float": INT_FILTERS[2:3] + INT_FILTERS[3:4] + INT_FILTERS[6:10], "char": CHAR_FILTERS, "word": WORD_FILTERS}
FLOAT_MAPS = [o for o in INT_MAPS if o.key in ("square", "double", "abs", "add", "subtract", "multiply", "negate")] + [
    op("round", "{s} rounded to {k} decimals|{s}, each rounded to {k} decimal places", "round to {k}", "round({x}, {k})", "round each to {k} decimals|round each to {k} decimal places", "places", "float", "round|rounded"),
]
MAPS_OF = {"int": INT_MAPS, "float": FLOAT_MAPS, "char": CHAR_MAPS, "word": WORD_MAPS}

# What a test of every element is called when the fold is a yes or no.
YES_NO = ("all", "any", "none")

# What people get wrong in haste, by operation: (right, wrong), at the last place where it occurs. What is wrong is about
# as long as what is right: a decoder commits early where a program ends, and would favour whichever is shorter.
WIDER, NARROWER = ((" > ", " >= "), (" < ", " <= ")), ((" >= ", " > "), (" <= ", " < "))
SIGN_KEPT = (("abs(", "int("),)
QUOTIENT = ((" % ", " // "),)
ONLY_LOWER = (("AEIOU", ""),)
TOO_SHORT = ((" + 1)", " - 1)"),)
ONE_SPACE = ((".split()", ".split(' ')"),)
TWO_SPACES = (("(' ',", "('  ',"), ("''.join(", "' '.join("))
ROUNDED_DOWN = ((" / ", " // "),)
ALPHABETICAL = (("key=len", "key=str"), (" > ", " >= "))
STEP_LOST = (("[::-1]", "[:-1]"), ("reversed(", "sorted("))
MORE, LESS = (("min(", "max("),), (("max(", "min("),)
SLIPS = {
    **dict.fromkeys(("positive", "negative", "greater", "less", "longer", "shorter", "rise", "fall", "far", "bestlargest", "bestsmallest"), WIDER),
    **dict.fromkeys(("nonnegative", "atleast", "atmost", "between", "atleastlong", "near"), NARROWER),
    **dict.fromkeys(("lastdigit", "ends", "digitsum", "digitcount", "onedigit", "abs", "distance", "zipabsdiffs"), SIGN_KEPT),
    **dict.fromkeys(("even", "odd", "multiple", "notmultiple", "remainder"), QUOTIENT),
    **dict.fromkeys(("vowel", "notvowel", "vowelstart", "vowelcount"), ONLY_LOWER),
    **dict.fromkeys(("upto", "span", "divisors"), TOO_SHORT),
    **dict.fromkeys(("words", "text/collapse", "text/reversewords", "text/sortwords"), ONE_SPACE),
    **dict.fromkeys(("text/nospace", "spaces"), TWO_SPACES),
    **dict.fromkeys(("average2", "average3", "trapezoid", "trianglearea"), ROUNDED_DOWN),
    **dict.fromkeys(("bylength", "longest", "shortest"), ALPHABETICAL),
    **dict.fromkeys(("reverse", "palindrome", "text/reverse", "text/palindrome"), STEP_LOST),
    **dict.fromkeys(("cap", "zipminima"), MORE),
    **dict.fromkeys(("floor", "zipmaxima", "rowmaxima"), LESS),
    **dict.fromkeys(("bylen", "byinitial", "bydigit"), ((".append(", ".extend("),)),
    **{fold.key: (("default=None", "default=0"), ("else None", "else 0"), ("= None", "= 0"), ("{r} is None or ", "")) for fold in (MAXIMUM[0], MINIMUM[0])},
    **{fold.key: (("default=0", "default=None"), ("else 0", "else None")) for fold in (MAXIMUM[1], MINIMUM[1], SPREAD)},
    **{fold.key: (("default=-1", "default=0"), ("else -1", "else 0")) for fold in (MAXIMUM[2], MINIMUM[2])},
    "mean": (("else 0.0", "else None"),),
    "product": (("1", "0"),),
    "prime": ((" > 1 ", " > 0 "),),
    "nonzero": ((" != 0", " > 0"),),
    "exact": ((" == ", " >= "),),
    "square": ((" * {x}", " * 2"), (" ** 2", " * 2")),
    "cube": ((" ** 3", " ** 2"), (" * {x}", " * 3")),
    "double": (("{x} * 2", "{x} ** 2"), ("2 * {x}", "{x} ** 2")),
    "halve": ((" // ", " / "),),
    "negate": (("-{x}", "-abs({x})"),),
    "consonant": ((".lower()", ".upper()"),),
    "letter": ((".isalpha()", ".isalnum()"),),
    "alnum": ((".isalnum()", ".isalpha()"),),
    "digit": ((".isdigit()", ".isalnum()"),),
    "upper": ((".isupper()", ".isalpha()"),),
    "lower": ((".islower()", ".isalpha()"),),
    "capitalize": ((".capitalize()", ".upper()"),),
    "ascending": (("sorted(", "list("),),
    "descending": (("True", "False"), ("sorted({v})", "sorted(set({v}))")),
    **dict.fromkeys(("smallest", "largest"), (("sorted({v}", "sorted(set({v})"),)),
    "unique": (("list(", "sorted("),),
    **dict.fromkeys(("sortedset", "rank"), (("set({v})", "list({v})"),)),
    "distinct": (("set({v})", "list({v})"), ("({{g}})", "([{g}])"), ("set({g})", "list({g})"), ("set()", "[]"), (".add(", ".append(")),
    "tally": ((", 0)", ", 1)"), (".count(", ".index(")),
    "evenpos": (("[::2]", "[1::2]"),),
    "oddpos": (("[1::2]", "[::2]"),),
    "indexproducts": ((")", ", 1)"),),
    "whiledigits": ((" > 9", " > 10"),),
    **dict.fromkeys(("whilehalve", "whilehalvedec", "whilethird", "whiledivide"), ((" > 0", " > 1"),)),
    "whilesubtract": ((" >= ", " > "),),
    "steps": ((" = 0", " = 1"),),
    "guard": ((" < ", " <= "),),
    "fahrenheit": (("9 / 5", "5 / 9"),),
    "celsius": (("5 / 9", "9 / 5"),),
    **dict.fromkeys(("discount", "tax"), ((" / 100)", ") / 100"),)),
    "text/strip": ((".strip(", ".lstrip("),),
    **dict.fromkeys(("text/replace", "text/remove"), (("')", "', 1)"),)),
    "nested": ((".extend(", ".append("),),
    "run": ((" = 1", " = 0"),),
    "median": ((" - 1", " + 1"),),
    "rotate": QUOTIENT,
    "columns": (("list(", "tuple("),),
    "often": (("sorted(", "set("),),
}

# --------------------------------------------------------------------------- sources


@dataclasses.dataclass(frozen=True)
class Source:
    """Where elements come from.

    clauses: (target, iterable) pairs of nested for loops; element: what is taken in the innermost one.
    direct: the iterable as a sequence that needs no comprehension, or "".
    """

    key: str
    kind: str
    nouns: tuple
    where: tuple
    intro: tuple
    plan: str
    args: tuple
    clauses: tuple
    element: str
    test: str = ""
    direct: str = ""
    nonempty: bool = True
    words: tuple = ()


VARIABLES = {
    "int": ("x", "n", "v", "num", "value", "item", "i", "y", "e"),
    "float": ("x", "v", "value", "item", "y", "f"),
    "char": ("c", "ch", "char", "letter", "x"),
    "word": ("w", "word", "token", "s", "x", "item"),
}
LIST_NAMES = ("nums", "numbers", "values", "xs", "items", "data", "lst", "arr")
TEXT_NAMES = ("text", "s", "string", "line", "phrase", "word")
SENTENCE_NAMES = ("text", "sentence", "s", "line", "phrase")
NUMBER_NAMES = ("n", "num", "number", "limit", "k", "m")
DICT_NAMES = ("d", "table", "scores", "prices", "mapping", "stock", "data", "ages")
MATRIX_NAMES = ("matrix", "grid", "rows", "table", "m")
WORDS_NAMES = ("words", "strings", "names", "items", "tokens")


def list_source(r, a, x):
    kind = r.random()
    if kind < 0.7:
        return Source("list", "int", ("numbers", "integers", "values", "elements", "numbers"), ("in the list", "of the list", f"in {a}", "in a list", "in the given list"), ("Given a list of integers, ", f"From the list {a}, ", "Take a list of numbers, ", ""), "", (a,), ((x, a),), x, direct=a)
    return r.choice((even_positions, odd_positions, adjacent_differences, adjacent_sums, index_products))(r, a, x)


def even_positions(r, a, x):
    return Source("evenpos", "int", ("numbers", "values", "elements"), ("at even indices of the list", "at even positions (0-based) of the list", "at even indexes of the list"), ("From the elements at even indices of the list, ",), "even indices", (a,), ((x, a + "[::2]"),), x, direct=a + "[::2]", words=("even_index",))


def odd_positions(r, a, x):
    return Source("oddpos", "int", ("numbers", "values", "elements"), ("at odd indices of the list", "at odd positions (0-based) of the list", "at odd indexes of the list"), ("From the elements at odd indices of the list, ",), "odd indices", (a,), ((x, a + "[1::2]"),), x, direct=a + "[1::2]", words=("odd_index",))


def adjacent_differences(r, a, x):
    p, q = r.choice((("a", "b"), ("x", "y"), ("p", "q"), ("u", "v")))
    return Source("differences", "int", ("differences",), ("between neighbouring numbers (next minus current)", "between each number and the one before it", "between consecutive numbers (next minus current)"), ("Take the differences between neighbouring numbers (next minus current), ",), "neighbour differences", (a,), ((f"{p}, {q}", f"zip({a}, {a}[1:])"),), f"{q} - {p}", words=("gap", "differences", "steps"))


def adjacent_sums(r, a, x):
    p, q = r.choice((("a", "b"), ("x", "y"), ("p", "q"), ("u", "v")))
    return Source("neighboursums", "int", ("sums",), ("of neighbouring numbers", "of each two neighbouring numbers", "of consecutive numbers"), ("Take the sums of neighbouring numbers, ",), "neighbour sums", (a,), ((f"{p}, {q}", f"zip({a}, {a}[1:])"),), f"{p} + {q}", words=("pair_sums", "adjacent"))


def index_products(r, a, x):
    i = r.choice(("i", "k", "idx", "pos"))
    x = x if x != i else "z"
    return Source("indexproducts", "int", ("products",), ("of each number and its index", "of every element with its 0-based index"), ("Multiply each number by its index, ",), "times index", (a,), ((f"{i}, {x}", f"enumerate({a})"),), f"{i} * {x}", words=("indexed", "weighted"))


def range_source(r, a, x):
    a = r.choice(NUMBER_NAMES)
    kind = r.random()
    if kind < 0.4:
        return Source("upto", "int", ("numbers", "integers"), (f"from 1 to {a}", f"from 1 up to {a}", f"from 1 to {a} inclusive", f"between 1 and {a}"), (f"From the numbers 1 to {a}, ", f"Take the integers from 1 to {a}, "), f"1 to {a}", (a,), ((x, f"range(1, {a} + 1)"),), x, words=("range", "up_to"))
    if kind < 0.55:
        return Source("below", "int", ("numbers", "integers"), (f"from 0 up to but not including {a}", f"from 0 to {a} - 1", f"below {a}, starting at 0"), (f"From the integers 0 to {a} - 1, ",), f"0 to {a} - 1", (a,), ((x, f"range({a})"),), x, words=("below",))
    if kind < 0.7:
        b, c = r.choice((("a", "b"), ("start", "end"), ("low", "high"), ("lo", "hi"), ("first", "last")))
        return Source("span", "int", ("numbers", "integers"), (f"from {b} to {c} inclusive", f"between {b} and {c} inclusive", f"from {b} to {c}, both included"), (f"From the integers {b} to {c} inclusive, ",), f"{b} to {c}", (b, c), ((x, f"range({b}, {c} + 1)"),), x, words=("between", "range"))
    if kind < 0.88:
        return Source("digits", "int", ("digits",), (f"of {a}", f"of the number {a}", f"of the non-negative integer {a}", "of a number"), (f"From the digits of {a}, ", f"Take the digits of {a}, "), "digits", (a,), (("ch", f"str({a})"),), "int(ch)", words=("digit", "digits"))
    return Source("divisors", "int", ("divisors",), (f"of {a}", f"of the positive integer {a}"), (f"From the divisors of {a} in increasing order, ",), "divisors", (a,), ((x, f"range(1, {a} + 1)"),), x, test=f"{a} % {x} == 0", words=("divisor", "divisors"))


def matrix_source(r, a, x):
    a = r.choice(MATRIX_NAMES)
    row = r.choice([v for v in ("row", "line", "r") if v != a])
    kind = r.randrange(6)
    if kind == 0:
        return Source("matrix", "int", ("numbers", "values", "elements"), ("in the matrix", "of the matrix", "in a list of lists"), ("From all numbers of the matrix, ",), "flatten", (a,), ((row, a), (x, row)), x, words=("matrix", "grid", "nested"))
    if kind == 1:
        return Source("rowsums", "int", ("row sums",), ("of the matrix", "of a list of lists"), ("Take the sum of each row of the matrix, ",), "row sums", (a,), ((row, a),), f"sum({row})", words=("row", "rows"))
    if kind == 2:
        return Source("rowmaxima", "int", ("row maxima",), ("of the matrix (rows are not empty)", "of the matrix"), ("Take the largest number of each row of the matrix, ",), "row maxima", (a,), ((row, a),), f"max({row})", words=("row_max", "rows"))
    if kind == 3:
        return Source("rowlengths", "int", ("row lengths",), ("of the matrix", "of a list of lists"), ("Take the length of each row, ",), "row lengths", (a,), ((row, a),), f"len({row})", words=("row_len", "rows"))
    if kind == 4:
        return Source("columnsums", "int", ("column sums",), ("of the matrix",), ("Take the sum of each column of the matrix, ",), "column sums", (a,), (("col", f"zip(*{a})"),), "sum(col)", words=("column", "columns"))
    return Source("diagonal", "int", ("numbers", "elements"), ("on the main diagonal of the square matrix", "on the diagonal of a square matrix"), ("From the main diagonal of the square matrix, ",), "diagonal", (a,), (("i", f"range(len({a}))"),), f"{a}[i][i]", words=("diagonal", "diag"))


def zip_source(r, a, x):
    b, c = r.choice((("xs", "ys"), ("a", "b"), ("first", "second"), ("left", "right"), ("nums1", "nums2")))
    p, q = r.choice((("x", "y"), ("p", "q"), ("u", "v"), ("m", "n")))
    key, noun, code = r.choice((("products", "element-wise products", f"{p} * {q}"), ("sums", "element-wise sums", f"{p} + {q}"), ("diffs", "element-wise differences", f"{p} - {q}"), ("absdiffs", "absolute differences at each position", f"abs({p} - {q})"), ("maxima", "element-wise maxima", f"max({p}, {q})"), ("minima", "element-wise minima", f"min({p}, {q})")))
    return Source("zip" + key, "int", (noun,), ("of the two lists", f"of {b} and {c}", "of two lists", "of two lists of equal length"), (f"Take the {noun} of the two lists, ",), noun, (b, c), ((f"{p}, {q}", f"zip({b}, {c})"),), code, words=(key, "pairwise", "two_lists"))


def shared_source(r, a, x):
    b, c = r.choice((("xs", "ys"), ("a", "b"), ("first", "second"), ("left", "right"), ("nums", "others")))
    if r.random() < 0.5:
        return Source("common", "int", ("numbers", "elements", "values"), (f"of {b} that are also in {c}", "of the first list that also appear in the second", "in the first list that are also in the second one"), ("From the numbers of the first list that are also in the second, ",), "in both", (b, c), ((x, b),), x, test=f"{x} in {c}", words=("common", "shared", "both"))
    return Source("missing", "int", ("numbers", "elements", "values"), (f"of {b} that are not in {c}", "of the first list that do not appear in the second", "in the first list that are not in the second one"), ("From the numbers of the first list that are not in the second, ",), "not in second", (b, c), ((x, b),), x, test=f"{x} not in {c}", words=("missing", "difference", "only_first"))


def dict_source(r, a, x):
    a = r.choice(DICT_NAMES)
    if r.random() < 0.5:
        return Source("dictvalues", "int", ("values",), ("of the dictionary", "in the dictionary", f"of {a}", f"in {a}"), ("From the values of the dictionary, ",), "values", (a,), ((x, f"{a}.values()"),), x, words=("value", "values", "dict"))
    return Source("dictkeys", "word", ("keys",), ("of the dictionary", "in the dictionary"), ("From the keys of the dictionary, ",), "keys", (a,), ((x, a),), x, words=("keys", "dict"))


def float_source(r, a, x):
    return Source("floats", "float", ("numbers", "values", "floats"), ("in the list of floats", "in a list of floats", f"in {a}, a list of floats"), ("Given a list of floats, ",), "", (a,), ((x, a),), x, direct=a, words=("float",))


def char_source(r, a, x):
    a = r.choice(TEXT_NAMES)
    if r.random() < 0.86:
        return Source("chars", "char", ("characters",), ("in the string", "of the string", f"in {a}", f"of {a}", "in a string"), ("Given a string, ", f"From the characters of {a}, ", ""), "", (a,), ((x, a),), x, direct=a)
    b, c = r.choice((("a", "b"), ("s", "t"), ("first", "second"), ("left", "right")))
    if r.random() < 0.5:
        return Source("commonchars", "char", ("characters",), (f"of {b} that also occur in {c}", "of the first string that also occur in the second"), ("From the characters of the first string that also occur in the second, ",), "in both", (b, c), ((x, b),), x, test=f"{x} in {c}", words=("common", "shared"))
    return Source("missingchars", "char", ("characters",), (f"of {b} that do not occur in {c}", "of the first string that do not occur in the second"), ("From the characters of the first string that do not occur in the second, ",), "not in second", (b, c), ((x, b),), x, test=f"{x} not in {c}", words=("missing", "only_first"))


def word_source(r, a, x):
    a = r.choice(SENTENCE_NAMES)
    return Source("words", "word", ("words",), ("of the sentence", "in the sentence", "of the text", "in the text", f"in {a}", f"of {a}", "in the string"), ("Given a sentence, ", "Split the text into words, ", f"From the words of {a}, "), "split", (a,), ((x, f"{a}.split()"),), x, direct=f"{a}.split()", words=("word", "words"))


def strings_source(r, a, x):
    a = r.choice(WORDS_NAMES)
    return Source("strings", "word", ("strings", "words", "strings"), ("in the list", "of the list", f"in {a}", "in a list of strings"), ("Given a list of strings, ", f"From the list {a}, "), "", (a,), ((x, a),), x, direct=a, nonempty=False)


SOURCES = ((list_source, 30), (range_source, 18), (matrix_source, 8), (zip_source, 6), (shared_source, 5), (dict_source, 5), (float_source, 4), (char_source, 16), (word_source, 14), (strings_source, 10))
NEEDS_LETTERS = {"vowelstart", "capitalised", "sameends", "first", "last", "byinitial"}


# --------------------------------------------------------------------------- drawing helpers


def constant_for(r, kind):
    """A constant, and a second one where an operation has two."""
    if kind == "num":
        return str(r.choice((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 50, 100, 0, -1))), ""
    if kind == "mod":
        return str(r.choice((2, 3, 4, 5, 6, 7, 8, 9, 10))), ""
    if kind == "digit":
        return str(r.randrange(10)), ""
    if kind == "span":
        low = r.choice((-5, 0, 1, 2, 3, 5, 10))
        return str(low), str(low + r.choice((3, 5, 7, 10, 20, 90)))
    if kind == "letter":
        return r.choice("abcdefghilmnoprstuw"), ""
    if kind == "mark":
        return r.choice(("!", "?", ".", "-", "s", "ing", "*", "#", "_")), ""
    if kind in ("len", "count", "places"):
        return str(r.choice((2, 3, 4, 5) if kind != "places" else (0, 1, 2, 3))), ""
    return "", ""


def fill(text, **names):
    """Replaces {name} for the given names only, so that braces of Python survive."""
    for name, value in names.items():
        text = text.replace("{" + name + "}", value)
    return text


def bracket(expression):
    """The expression, in parentheses unless it binds tightly already."""
    if re.fullmatch(r"[\w.]+(\([^()]*\))?(\[[^\[\]]*\])*", expression):
        return expression
    return "(" + expression + ")"


def indent(lines, by=1):
    return ["    " * by + line for line in lines]


VERBS = ("get", "compute", "find", "calc", "make", "build", "solve", "process", "transform", "collect", "do", "run", "apply", "list", "pick", "my")
NOUNS = ("it", "values", "result", "answer", "items", "data", "list", "numbers", "text", "task", "output", "func", "stuff", "all", "parts", "of")


PLAIN_WORDS = """
zero one two three four five six seven eight nine ten eleven twelve twenty thirty fifty hundred half quarter third
first second next previous middle inner outer upper lower left right front back top bottom near far early late
big tiny long short tall wide narrow high deep flat round sharp soft strong weak light heavy fresh old new young
red green blue black white grey good bad best worst fair rich poor warm cool dry wet clean safe quick slow quiet loud
position positions place places index spot cell cells row rows column columns corner edge border side line point
increase increases decrease change changes growth drop drops rise fall shift move turn trend peak valley wave
character characters symbol symbols mark marks sign signs dash dashes dot dots space spaces quote quotes bracket
consonant syllable prefix suffix token phrase title heading paragraph page chapter letter letters
variation deviation variance difference distance weight height width depth area volume speed time date year month
match matches mismatch equal same other another neighbour neighbours pair pairs couple triple group groups cluster
price prices cost costs amount amounts tax discount discounted percent share shares ratio rate score scores grade
anagram rotate transpose root digital fibonacci hailstone median common missing recursive nested strict strictly
increasing decreasing ignoring case keep drop split merge tidy trim select choose remove replace insert append
fahrenheit celsius kelvin mile metre gram litre energy power force signal sample samples reading readings sensor
user users order orders item ticket tickets player players game games team teams city cities street river mountain
apple orange banana cherry lemon grape bread butter water coffee sugar honey garden flower forest animal horse
loss losses win wins gain gains bonus debt credit budget invoice salary profit total subtotal average maximum minimum
""".split()
ONSETS = ("b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "qu", "r", "s", "t", "v", "w", "x", "z", "br", "ch", "cl", "dr", "fl", "gr", "pl", "pr", "sh", "sl", "sp", "st", "str", "th", "tr", "")
RHYMES = ("a", "e", "i", "o", "u", "ai", "ea", "ee", "oo", "ou", "an", "ar", "as", "at", "el", "en", "er", "es", "et", "il", "in", "is", "it", "ol", "on", "or", "os", "ul", "um", "un", "ur", "ing", "ight", "end", "act", "ion", "ost", "unk")


def word_of_name(r):
    """A word that has nothing to do with the program: a plain one, or one that means nothing."""
    if r.random() < 0.6:
        return r.choice(PLAIN_WORDS)
    return "".join(r.choice(ONSETS) + r.choice(RHYMES) for _ in range(r.choice((1, 2, 2, 3))))


def name_for(r, hints):
    """A function name: words of what is computed, words from anywhere, or something general."""
    hints = [h for h in hints if h]
    if hints and r.random() < 0.5:
        hints = [word_of_name(r) if r.random() < 0.6 else h for h in hints] + [word_of_name(r)]
    roll = r.random()
    if roll < 0.06 or not hints:
        return r.choice(("f", "solve", "process", "transform", "compute", "run", "solution", "func", "answer", "task"))
    chosen = hints[: r.choice((1, 2, 2, 3, 3, 4))]
    if roll < 0.4:
        r.shuffle(chosen)
    if roll > 0.75:
        chosen = [r.choice(VERBS)] + chosen
    elif roll > 0.65:
        chosen = chosen + [r.choice(NOUNS)]
    name = "_".join(chosen)[:34].strip("_")
    return name if name.isidentifier() and not keyword.iskeyword(name) and name not in ("sum", "max", "min", "all", "any", "list", "abs", "str", "len", "range", "sorted", "int", "set", "dict", "map", "filter", "tuple", "ord", "round") else name + "_of"


def sentence(text):
    text = text.strip()
    text = text[0].upper() + text[1:]
    return text if text.endswith(".") else text + "."


# How a plan begins. Of these words none is longer than another, and the rest of a plan has few ways: a decoder that commits
# what it is surest of chooses among them early and fairly, and the answer follows.
CAREFUL, HASTY = ("Plan: ", "Steps: "), "First: "


def plan_text(r, parts, style):
    """R: the steps in a line, sometimes with how the program will be written."""
    parts = [p for p in parts if p]
    separator = r.choice(("; ", ", then "))
    hint = {"comp": "Use comprehensions", "gen": "One expression", "loop": "Use a loop", "fn": "Use lambdas", "rec": "Recurse", "if": "Use if statements", "ternary": "Conditional expression"}.get(style, "")
    text = (HASTY if r.hasty else r.choice(CAREFUL)) + separator.join(parts)
    return f"{text}. {hint}." if hint and r.random() < 0.6 else text


def finish(r, key, name, args, doc, plan, body):
    """Puts a program together; body lines are not yet indented, and may start with imports."""
    imports = [line for line in body if line.startswith("import ")]
    body = [line for line in body if not line.startswith("import ")]
    if name in args or len(set(args)) < len(args):
        raise Rejected
    signature = f"def {name}({', '.join(args)}):\n"
    prompt = signature + f'    """{doc}"""\n'
    answer = "".join(line + "\n" for line in imports) + ("\n" if imports else "") + signature + "".join(line + "\n" for line in indent(body))
    return Program(key, prompt, plan, answer, name)


# --------------------------------------------------------------------------- pipelines


def pipeline(r):
    """source | [order] | filters and maps | [order] | fold, in five styles."""
    maker = r.choices([m for m, _ in SOURCES], [w for _, w in SOURCES])[0]
    argument = r.choice(LIST_NAMES)
    source = maker(r, argument, "{x}")
    x = r.choice([v for v in VARIABLES[source.kind] if v not in source.args and f" {v}" not in " " + source.clauses[0][0]])
    source = dataclasses.replace(source, clauses=tuple((t.replace("{x}", x), i.replace("{x}", x)) for t, i in source.clauses), element=source.element.replace("{x}", x), test=source.test.replace("{x}", x))

    *iterables, direct, element = r.slip(source.key, *(i for _, i in source.clauses), source.direct, source.element)
    source = dataclasses.replace(source, clauses=tuple((t, i) for (t, _), i in zip(source.clauses, iterables)), direct=direct, element=element)

    # What to do: element stages, an order before or after them, a fold.
    kind = source.kind
    stages = []
    before = after = None
    if r.random() < 0.12 and source.direct and kind != "float":
        before = r.choice([o for o in ORDERS_OF[kind] if o.key not in ("gaps", "runningsum", "runningmax")])
    for _ in range(r.choices((0, 1, 2, 3), (12, 44, 36, 8))[0]):
        if r.random() < 0.55:
            stages.append(("filter", r.choice(FILTERS_OF[kind])))
        else:
            chosen = r.choice(MAPS_OF[kind])
            stages.append(("map", chosen))
            kind = chosen.to if kind != "float" else "float"
    if r.random() < 0.22:
        after = r.choice(ORDERS_OF[kind])
    yes_no = r.choice(YES_NO) if stages and stages[-1][0] == "filter" and not after and r.random() < 0.12 else ""
    reduction = None if yes_no else r.choice(FOLDS_OF[kind])
    operations = [o for _, o in stages] + [o for o in (before, after) if o]
    check_sensible(source, stages, before, after, reduction, kind)

    key = "/".join(["pipe", source.key] + ([before.key + "!"] if before else []) + [o.key for _, o in stages] + (["!" + after.key] if after else []) + [yes_no or reduction.key])

    # Constants; one of them may become an argument.
    constants = [constant_for(r, o.constant) for o in operations]
    args = list(source.args)
    free = [i for i, o in enumerate(operations) if o.constant in ("num", "mod", "len", "count", "places")]
    if free and r.random() < 0.2:
        parameter = r.choice([p for p in ("k", "limit", "m", "t", "threshold", "size", "p") if p not in args and p != x])
        constants[free[0]] = (parameter, "")
        args.append(parameter)
        key += "@" + operations[free[0]].key
    if len({o.key for o in operations}) < len(operations):
        raise Rejected
    constants_by_key = {o.key: c for o, c in zip(operations, constants)}
    text_of = lambda o, options: fill(r.choice(options), k=constants_by_key[o.key][0], k2=constants_by_key[o.key][1])

    doc = describe(r, source, stages, before, after, reduction, yes_no, text_of)
    style = r.choices(("comp", "gen", "loop", "fn", "rec"), (24, 26, 30, 12, 8))[0]
    plan_parts = [source.plan] + ([text_of(before, before.plan)] if before else []) + [text_of(o, o.plan) for _, o in stages] + ([text_of(after, after.plan)] if after else [])
    plan_parts.append({"all": "check all", "any": "check any", "none": "check none"}[yes_no] if yes_no else r.choice(reduction.plan))
    if style == "rec":
        doc = sentence(r.choice(("Recursively", "Using recursion,", "With recursion,")) + " " + doc[0].lower() + doc[1:])
    hints = [r.choice(o.words) for o in operations if o.words] + ([r.choice(source.words)] if source.words else [])
    fold_words = ("all", "every", "only") if yes_no == "all" else ("any", "has", "contains") if yes_no == "any" else ("no", "none", "has_no") if yes_no else reduction.words
    hints.insert(0, r.choice(fold_words))
    name = name_for(r, hints)
    body = Writer(r, source, stages, before, after, reduction, yes_no, x, text_of, args, name).write(style)
    return finish(r, key, name, args, doc, plan_text(r, plan_parts, style), body)


def check_sensible(source, stages, before, after, reduction, kind):
    """Rejects draws that are void or could fail on ordinary inputs."""
    keys = [o.key for _, o in stages]
    if len(set(keys)) < len(keys):
        raise Rejected
    used = set(keys) | ({reduction.key} if reduction and reduction.key == "byinitial" else set())
    word_stages = [o for kind_, o in stages]
    if used & NEEDS_LETTERS:
        safe = source.kind == "word" and source.nonempty and not used & {"headless", "tailless"} and source.key != "dictkeys"
        letters_of_chars = source.kind == "char"
        if not safe and not (letters_of_chars and not used & (NEEDS_LETTERS - {"first", "last"})):
            raise Rejected
    if reduction is not None and reduction.key == "count" and stages and stages[-1][0] == "map":
        raise Rejected
    if reduction is not None and reduction.key == "count" and not stages and not (before or after):
        raise Rejected
    if after is not None and reduction is not None and reduction.key not in ("list", "concat", "joinspace", "joincomma", "joindash", "sum", "count", "first", "last", "product", "tolength", "tosquare"):
        raise Rejected
    if after is not None and after.key in ("ascending", "descending", "reverse", "bylength") and reduction is not None and reduction.key in ("sum", "count", "product"):
        raise Rejected
    if after is not None and after.key in ("smallest", "largest", "gaps", "runningsum", "runningmax", "sortedset") and reduction is not None and reduction.key not in ("list", "sum"):
        raise Rejected
    if before is not None and after is not None and before.key == after.key:
        raise Rejected
    if source.key in ("divisors", "digits", "upto", "below") and {"negative", "nonnegative", "abs", "positive"} & used:
        raise Rejected
    if "prime" in used and kind == "float":
        raise Rejected
    if reduction is not None and reduction.key in ("max0", "max-1", "min0", "min-1") and "negative" in used:
        raise Rejected
    if {"even", "odd"} <= used and "even" in keys and abs(keys.index("even") - keys.index("odd")) == 1:
        raise Rejected
    if not stages and before is None and after is None and reduction is not None and reduction.key in ("list", "concat") and source.direct:
        raise Rejected


def ending(r, reduction):
    """What the docstring says of empty sequences: a clause, a sentence of its own, or nothing."""
    text = r.choice(reduction.empty)
    return ". " + text if text[:1].isupper() else text


def describe(r, source, stages, before, after, reduction, yes_no, text_of):
    """The docstring: one noun phrase where the order of stages allows it, else steps."""
    noun = r.choice(source.nouns)
    where = r.choice(source.where)
    kinds = "".join("f" if k == "filter" else "m" for k, _ in stages)
    if yes_no:
        return yes_no_doc(r, source, stages, before, noun, where, yes_no, text_of)
    if re.fullmatch("f{0,2}m{0,2}", kinds) and before is None and r.random() < 0.68:
        phrase = noun
        filters = [o for k, o in stages if k == "filter"]
        for o in filters:
            phrase = fill(text_of(o, o.said), n=phrase)
        article = r.choice(("the ", "the ", "all ")) if not filters else r.choice(("the ", "the ", "all the ", "all "))
        if reduction.key == "count" and not after:
            return sentence(r.choice((f"Return the number of {phrase} {where}", f"Count the {phrase} {where}", f"Return how many {phrase} there are {where}", f"Return the count of {phrase} {where}")))
        phrase = article + phrase + " " + where
        for k, o in stages:
            if k == "map":
                phrase = fill(text_of(o, o.said), s=phrase)
        if after is not None:
            phrase = fill(text_of(after, after.said), s=phrase)
        verb = r.choice(("Return", "Return", "Return", "Compute", "Find", "Calculate", "Return"))
        if reduction.key == "list" and r.random() < 0.4:
            verb = r.choice(("Return", "Return", "Get", "List"))
        if reduction.key == "sum" and r.random() < 0.12:
            return sentence(f"Add up {phrase}")
        if reduction.key in ("tally", "list") and r.random() < 0.1:
            return sentence((("Count how often each of " + phrase + " occurs, as a dictionary") if reduction.key == "tally" else "Make a list of " + phrase))
        return sentence(f"{verb} {fill(r.choice(reduction.said), s=phrase)}{ending(r, reduction)}")
    steps = []
    if before is not None:
        steps.append(text_of(before, before.told))
    for k, o in stages:
        if k == "map":
            steps.append(text_of(o, o.told))
        else:
            subject = r.choice((noun, noun, "ones")) if not steps else r.choice(("ones", "results", "values") if source.kind in ("int", "float") else ("ones",))
            phrase = fill(text_of(o, o.said), n=subject)
            steps.append(r.choice((f"keep only the {phrase}", f"keep the {phrase}", f"select the {phrase}", f"drop everything except the {phrase}")))
    if after is not None:
        steps.append(text_of(after, after.told))
    steps.append(r.choice(reduction.told) + ending(r, reduction))
    intro = r.choice(source.intro)
    if not intro:
        intro = r.choice(("Given a list of integers, ", "")) if source.kind == "int" else r.choice(("Given a string, ", ""))
    roll = r.random()
    if roll < 0.5:
        text = intro + ", ".join(steps[:-1]) + (", then " if r.random() < 0.5 else " and ") + steps[-1] if len(steps) > 1 else intro + steps[0]
        return sentence(text)
    if roll < 0.8:
        text = intro + ", then ".join(steps)
        return sentence(text)
    return " ".join(sentence(s if i else intro + s) for i, s in enumerate(steps))


def yes_no_doc(r, source, stages, before, noun, where, yes_no, text_of):
    last = stages[-1][1]
    phrase = noun
    if any(k == "filter" for k, _ in stages[:-1]) and any(k == "map" for k, _ in stages[:-1]) or before is not None:
        raise Rejected
    for k, o in stages[:-1]:
        if k == "filter":
            phrase = fill(text_of(o, o.said), n=phrase)
    phrase = f"the {phrase} {where}"
    for k, o in stages[:-1]:
        if k == "map":
            phrase = fill(text_of(o, o.said), s=phrase)
    said = r.choice(last.said)
    goal = fill(text_of(last, (said,)), n="ones")
    if said.startswith("{n} that are "):
        goal = goal.removeprefix("ones that are ")
    elif said.endswith(" {n}"):
        goal = goal.removesuffix(" ones")
    elif said.startswith(("{n} greater", "{n} larger", "{n} above", "{n} less", "{n} smaller", "{n} below", "{n} divisible", "{n} between", "{n} longer", "{n} shorter", "{n} different", "{n} in ", "{n} other")):
        goal = goal.removeprefix("ones ")
    if yes_no == "all":
        return sentence(r.choice((f"Return True if all {phrase} are {goal}, else False", f"Return whether all {phrase} are {goal}", f"Check that all {phrase} are {goal}", f"Return True if all {phrase} are {goal}, and False otherwise")))
    if yes_no == "any":
        return sentence(r.choice((f"Return True if any of {phrase} are {goal}, else False", f"Return whether any of {phrase} are {goal}", f"Check whether any of {phrase} are {goal}", f"Return True if at least one of {phrase} is {goal}, and False otherwise")))
    return sentence(r.choice((f"Return True if none of {phrase} are {goal}, else False", f"Return whether none of {phrase} are {goal}", f"Return True if none of {phrase} are {goal}, and False otherwise")))


class Writer:
    """Writes one pipeline in one style; names and idioms are drawn once."""

    def __init__(self, r, source, stages, before, after, reduction, yes_no, x, text_of, args, name):
        self.r, self.source, self.stages, self.before, self.after = r, source, stages, before, after
        self.reduction, self.yes_no, self.args, self.name = reduction, yes_no, args, name
        if reduction:
            slipped = lambda codes: r.slip(reduction.key, *codes)
            self.reduction = dataclasses.replace(reduction, of_list=slipped(reduction.of_list), of_generator=slipped(reduction.of_generator), loop=tuple(map(slipped, reduction.loop)), recursive=slipped(reduction.recursive))
        code = {}
        for o in [o for _, o in stages] + [o for o in (before, after) if o]:
            code[o.key] = r.slip(o.key, text_of(o, o.code))[0]
        self.code = code
        # Inside an expression a second loop variable must not hide the first.
        self.x = x if (len(source.clauses) == 1 and source.element == x) or source.clauses[-1][0] == x else x
        taken = set(args) | {x} | set(re.findall(r"\w+", " ".join(t + " " + i for t, i in source.clauses)))
        self.taken = taken
        pool = reduction.names if reduction else ("result",)
        self.result = self.fresh(pool)
        self.other = self.fresh(("y", "z", "t", "val", "cur"))
        self.step = self.fresh(("values", "items", "step", "out", "picked", "seq", "parts"))
        if r.random() < 0.35 and source.direct == source.args[0]:
            self.step = source.args[0]

    def fresh(self, pool):
        options = [p for p in pool if p not in self.taken]
        if not options:
            raise Rejected
        chosen = self.r.choice(options)
        self.taken.add(chosen)
        return chosen

    def write(self, style):
        return getattr(self, style)()

    # Each stage as text about an expression.

    def stage(self, o, about):
        return fill(self.code[o.key], x=about if self.code[o.key] == "{x}" else bracket(about))

    def composed(self, stages, element):
        conditions = [self.source.test] if self.source.test else []
        for kind, o in stages:
            if kind == "map":
                element = self.stage(o, element)
            else:
                conditions.append(self.stage(o, element))
        return element, conditions

    def clauses(self):
        clauses = list(self.source.clauses)
        if self.before is not None:
            clauses[0] = (clauses[0][0], fill(self.code[self.before.key], v=self.source.direct))
        return clauses

    def generator(self, stages, element=None, clauses=None):
        element, conditions = self.composed(stages, element or self.source.element)
        loops = " ".join(f"for {t} in {i}" for t, i in clauses or self.clauses())
        test = ""
        if conditions:
            test = " if " + " and ".join(f"({c})" if " or " in c and len(conditions) > 1 else c for c in conditions)
        return element, loops + test

    def expression(self, text, **names):
        inner = self.fresh(("p", "q", "j", "u", "z")) if re.search(r"\b[xw]_\b", text) else ""
        return re.sub(r"\b[xw]_\b", inner, fill(text, **names))

    def fold_list(self, expression, lines):
        """Ends lines with the fold of a list given by an expression."""
        if self.yes_no or not self.reduction.of_list:
            return self.fold_by_loop(expression, lines)
        code = self.r.choice(self.reduction.of_list)
        if code.count("{v}") > 1 and not re.fullmatch(r"\w+", expression):
            lines.append(f"{self.step} = {expression}")
            expression = self.step
        return lines + ["return " + self.expression(code, v=expression)]

    def fold_by_loop(self, expression, lines):
        start, update, end = self.loop_text()
        e = self.source.element if re.fullmatch(r"\w+", self.source.element) else self.other
        return lines + start + [f"for {e} in {expression}:"] + indent(fill(update, e=e).split("\n")) + [fill(end, e=e)]

    def loop_text(self):
        start, update, end = (fill(part, r=self.result) for part in self.r.choice(self.reduction.loop))
        return ([] if not start else start.split("\n")), update, end

    # Styles.

    def gen(self):
        lines = []
        if self.yes_no:
            last = self.stages[-1][1]
            element, loops = self.generator(self.stages[:-1])
            condition = self.stage(last, element)
            if self.yes_no == "none":
                return [f"return not any({condition} {loops})"]
            return [f"return {self.yes_no}({condition} {loops})"]
        element, loops = self.generator(self.stages)
        whole = f"{element} {loops}"
        bare = not self.stages and not self.source.test and self.source.direct
        listed = f"[{whole}]"
        if bare:
            listed = fill(self.code[self.before.key], v=self.source.direct) if self.before else self.source.direct
        if self.after is not None:
            code = self.code[self.after.key]
            if code.count("{v}") > 1:
                lines.append(f"{self.step} = {listed}")
                listed = self.step
            listed = fill(code, v=listed)
            return self.fold_list(listed, lines)
        if self.reduction.of_generator and not bare:
            if self.reduction.key == "count":
                return [self.r.choice((f"return sum(1 {loops})", f"return len([{whole}])"))]
            return ["return " + fill(self.r.choice(self.reduction.of_generator), g=whole)]
        if self.reduction.key == "list" and bare:
            return [f"return list({listed})" if self.before is None else f"return {listed}"]
        return self.fold_list(listed, lines)

    def comp(self):
        lines, step = [], self.step
        x = self.source.element if re.fullmatch(r"\w+", self.source.element) else self.other
        current = self.source.direct
        if self.before is not None:
            lines.append(f"{step} = {fill(self.code[self.before.key], v=current)}")
            current = step
        todo = list(self.stages)
        if self.yes_no:
            todo = todo[:-1]
        first = True
        merge = self.r.random() < 0.5
        while todo or (first and not self.source.direct):
            if first and not self.source.direct:
                take = []
                while todo and todo[0][0] == "filter" and not take:
                    take.append(todo.pop(0))
                element, loops = self.generator(take)
            else:
                take = [todo.pop(0)]
                if merge and take[0][0] == "filter" and todo and todo[0][0] == "map":
                    take.append(todo.pop(0))
                source, self.source = self.source, dataclasses.replace(self.source, test="")
                element, loops = self.generator(take, x, [(x, current)])
                self.source = source
            lines.append(f"{step} = [{element} {loops}]")
            current = step
            first = False
        if self.yes_no:
            condition = self.stage(self.stages[-1][1], x)
            word = "not any" if self.yes_no == "none" else self.yes_no
            return lines + [f"return {word}({condition} for {x} in {current})"]
        if self.after is not None:
            lines.append(f"{step} = {fill(self.code[self.after.key], v=current)}")
            current = step
        return self.fold_list(current, lines)

    def fn(self):
        lines, step = [], self.step
        x = self.source.element if re.fullmatch(r"\w+", self.source.element) else self.other
        current = self.source.direct
        if not current:
            source_stage = self.generator([])
            lines.append(f"{step} = [{source_stage[0]} {source_stage[1]}]")
            current = step
        if self.before is not None:
            lines.append(f"{step} = {fill(self.code[self.before.key], v=current)}")
            current = step
        todo = list(self.stages)[:-1] if self.yes_no else list(self.stages)
        if not todo:
            raise Rejected
        for kind, o in todo:
            word = "map" if kind == "map" else "filter"
            lines.append(f"{step} = list({word}(lambda {x}: {self.stage(o, x)}, {current}))")
            current = step
        if self.yes_no:
            condition = self.stage(self.stages[-1][1], x)
            word = "not any" if self.yes_no == "none" else self.yes_no
            return lines + [f"return {word}(map(lambda {x}: {condition}, {current}))"]
        if self.after is not None:
            lines.append(f"{step} = {fill(self.code[self.after.key], v=current)}")
            current = step
        return self.fold_list(current, lines)

    def loop(self):
        lines = []
        guard = self.r.random() < 0.3
        collect = not self.yes_no and (self.after is not None or not self.reduction.loop)
        if self.yes_no:
            start, end = [], "return False" if self.yes_no == "any" else "return True"
            update = ""
        elif collect:
            start, update, end = [f"{self.step} = []"], f"{self.step}.append({{e}})", ""
            if self.step in self.args:
                self.step = self.fresh(("out", "result", "res", "kept"))
                start, update = [f"{self.step} = []"], f"{self.step}.append({{e}})"
        else:
            start, update, end = self.loop_text()
        lines += start
        depth = 0
        for target, iterable in self.clauses():
            lines += indent([f"for {target} in {iterable}:"], depth)
            depth += 1
        element = self.source.element
        if self.source.test:
            lines += indent([f"if {self.source.test}:"], depth)
            depth += 1
        stages = self.stages[:-1] if self.yes_no else self.stages
        assign = self.r.random() < 0.6
        for position, (kind, o) in enumerate(stages):
            if kind == "map":
                element = self.stage(o, element)
                later = position < len(stages) - 1 or self.yes_no
                if later or (assign and update.count("{e}") == 1) or update.count("{e}") > 1:
                    lines += indent([f"{self.other} = {element}"], depth)
                    element = self.other
            else:
                if not re.fullmatch(r"\w+|\w+\[i\]\[i\]", element):
                    lines += indent([f"{self.other} = {element}"], depth)
                    element = self.other
                condition = self.stage(o, element)
                if guard:
                    negated = f"if not ({condition}):" if re.search(r" (and|or|in|not|if) |^not | [<>=!%]", condition) else f"if not {condition}:"
                    lines += indent([negated, "    continue"], depth)
                else:
                    lines += indent([f"if {condition}:"], depth)
                    depth += 1
        if self.yes_no:
            condition = self.stage(self.stages[-1][1], element)
            test = f"if not ({condition}):" if self.yes_no == "all" else f"if {condition}:"
            lines += indent([test, "    return " + ("True" if self.yes_no == "any" else "False")], depth)
            return lines + [end]
        if update.count("{e}") > 1 and not re.fullmatch(r"\w+", element):
            lines += indent([f"{self.other} = {element}"], depth)
            element = self.other
        lines += indent(fill(update, e=element).split("\n"), depth)
        if collect:
            current = self.step
            if self.after is not None:
                expression = fill(self.code[self.after.key], v=current)
                if self.r.random() < 0.5 or len(self.reduction.of_list) == 0:
                    lines.append(f"{current} = {expression}")
                    expression = current
                return self.fold_list(expression, lines)
            return self.fold_list(current, lines)
        return lines + [fill(end, e=element)]

    def rec(self):
        if self.source.key not in ("list", "chars", "strings", "floats") or self.before or self.after or self.yes_no or not self.reduction.recursive:
            raise Rejected
        if self.reduction.key == "count" and not any(k == "filter" for k, _ in self.stages):
            raise Rejected
        a = self.source.args[0]
        base, combination = self.reduction.recursive
        head = self.r.choice((f"{a}[0]", self.source.element))
        rest = self.r.choice(("rest", "tail", "others"))
        call = f"{self.name}({', '.join([a + '[1:]'] + self.args[1:])})"
        lines = [self.r.choice((f"if not {a}:", f"if len({a}) == 0:")), f"    return {base}"]
        if head == self.source.element:
            lines.append(f"{head} = {a}[0]")
        inline = self.r.random() < 0.5 or self.reduction.key == "first"
        if not inline:
            lines.append(f"{rest} = {call}")
        element, conditions = self.composed(self.stages, head)
        whole = fill(combination, e=bracket(element) if " * " in combination else element, rest=call if inline else rest)
        if conditions:
            lines += [f"if {' and '.join(f'({c})' if ' or ' in c and len(conditions) > 1 else c for c in conditions)}:", f"    return {whole}", f"return {call if inline else rest}"]
        elif self.reduction.key == "first":
            raise Rejected
        else:
            lines.append(f"return {whole}")
        return lines


# --------------------------------------------------------------------------- other shapes


def condition_on(r, x, filters):
    """(key, adjective phrase, plan, code) of a condition on x."""
    o = r.choice(filters)
    k, k2 = constant_for(r, o.constant)
    said = fill(r.choice(o.said), n="", k=k, k2=k2).strip().removeprefix("that are ")
    return o.key, said, fill(r.choice(o.plan), k=k, k2=k2), fill(r.slip(o.key, r.choice(o.code))[0], x=x, k=k, k2=k2)


PLAIN_CONDITIONS = [o for o in INT_FILTERS if o.key in ("even", "odd", "positive", "negative", "greater", "less", "multiple", "other", "atleast", "atmost", "between", "nonzero")]
PLAIN_CONDITIONS = [dataclasses.replace(o, said=tuple(s for s in o.said if not s.startswith(("multiples", "{n} from", "{n} that are multiples")))) for o in PLAIN_CONDITIONS]
LABELS = ("even", "odd", "positive", "negative", "zero", "small", "big", "large", "low", "high", "yes", "no", "medium", "fizz", "buzz", "pass", "fail", "hot", "cold", "ok", "other", "warm", "none", "tiny", "huge", "A", "B", "C", "child", "adult")


def outcome(r, x):
    """(key, phrase, code) of what a branch returns."""
    roll = r.random()
    if roll < 0.6:
        label = r.choice(LABELS)
        return "label", f"'{label}'", f"'{label}'"
    if roll < 0.75:
        number = str(r.choice((0, 1, -1, 2, 10, 100)))
        return "number", number, number
    o = r.choice([o for o in INT_MAPS if o.key in ("square", "double", "negate", "abs", "add", "subtract", "multiply", "halve", "cube")])
    k, _ = constant_for(r, o.constant)
    code = fill(r.choice(o.code), x=x, k=k)
    phrase = {"square": f"the square of {x}", "double": r.choice((f"twice {x}", f"{x} doubled")), "negate": f"the opposite of {x}", "abs": f"the absolute value of {x}", "add": f"{x} plus {k}", "subtract": f"{x} minus {k}", "multiply": f"{x} times {k}", "halve": f"half of {x} rounded down", "cube": f"the cube of {x}"}[o.key]
    return o.key, phrase, code


def conditional(r):
    """Two or three branches on a number, alone or for every element of a list or range."""
    over = r.choice(("one", "one", "list", "upto"))
    a = r.choice([n for n in NUMBER_NAMES if n != "limit"] + ["x", "value", "temperature", "age", "score", "points"]) if over == "one" else r.choice(("x", "n", "v", "num", "i"))
    branches = r.choice((1, 2, 2, 3))
    conditions = [condition_on(r, a, PLAIN_CONDITIONS) for _ in range(branches)]
    outcomes = [outcome(r, a) for _ in range(branches + 1)]
    if over != "one" and r.random() < 0.4:
        outcomes[-1] = ("same", r.choice(("the number itself", f"{a} itself")), a)
    if len({c[0] for c in conditions}) < branches or len({o[1] for o in outcomes}) < branches + 1:
        raise Rejected
    key = "/".join(["cond", over] + [c[0] + ">" + o[0] for c, o in zip(conditions, outcomes)] + [outcomes[-1][0]])
    subject = r.choice((a, a, "the number", "it")) if over == "one" else r.choice((a, "it"))
    clause = lambda i: f"{outcomes[i][1]} if {subject if i == 0 or subject != 'the number' else 'it'} is {conditions[i][1]}"
    otherwise = r.choice((", otherwise ", ", and ", " and ", ", else "))
    tail = outcomes[-1][1] + (" otherwise" if "and" in otherwise else "")
    listed = ", ".join(clause(i) for i in range(branches)) + otherwise + tail
    style = r.choice(("if", "if", "ternary"))
    tests = [c[3] for c in conditions]
    values = [o[2] for o in outcomes]
    chain = values[-1]
    for test, value in reversed(list(zip(tests, values))):
        chain = f"{value} if {test} else {chain}"
    plan = [f"{c[2]}: {o[1]}" for c, o in zip(conditions, outcomes)] + ["else " + outcomes[-1][1]]
    hints = [r.choice(("classify", "label", "describe", "check", "kind", "category", "sign", "grade", "type", "convert", "step", "choose")), r.choice(("number", "value", "size", "of", "kind", "")), ""]
    if over == "one":
        name = name_for(r, hints)
        doc = sentence(r.choice(("Return ", "Return ", "Give ")) + listed)
        if style == "ternary":
            body = [f"return {chain}"]
        else:
            word = r.choice(("if", "elif"))
            body = []
            for i, (test, value) in enumerate(zip(tests, values)):
                body += [("if " if i == 0 else word + " ") + test + ":", f"    return {value}"]
            body += [f"return {values[-1]}"] if word == "if" or r.random() < 0.5 else ["else:", f"    return {values[-1]}"]
        return finish(r, key, name, (a,), doc, plan_text(r, plan, style), body)
    argument = r.choice(LIST_NAMES) if over == "list" else r.choice([n for n in ("n", "limit", "m", "num", "number") if n != a])
    iterable = r.slip(over, argument if over == "list" else f"range(1, {argument} + 1)")[0]
    what = f"each number {a} in the list" if over == "list" else f"each number {a} from 1 to {argument}"
    doc = sentence(r.choice((f"For {what}, give {listed}, and return the list of results", f"Return a list that holds, for {what}, {listed}")))
    out = r.choice(("result", "out", "res", "labels"))
    name = name_for(r, hints[:1] + [r.choice(("all", "list", "each", "numbers"))])
    if style == "ternary":
        body = [f"return [{chain} for {a} in {iterable}]"]
    else:
        body = [f"{out} = []", f"for {a} in {iterable}:"]
        for i, (test, value) in enumerate(zip(tests, values)):
            body += indent([("if " if i == 0 else "elif ") + test + ":", f"    {out}.append({value})"])
        body += indent(["else:", f"    {out}.append({values[-1]})"]) + [f"return {out}"]
    plan.insert(0, "for each" if over == "list" else f"1 to {argument}")
    return finish(r, key, name, (argument,), doc, plan_text(r, plan, style), body)


def recurrence(r):
    """The n-th term of a sequence given by its first terms and a rule."""
    n = r.choice(("n", "k", "index", "i", "num"))
    first, second = r.choice((0, 1, 2, 3)), r.choice((1, 1, 2, 3, 5))
    k = r.choice((1, 2, 3, 4, 5, 10))
    two = r.random() < 0.55
    if two:
        key, said, code = r.choice((("sum", "the sum of the two terms before it", "{b} + {a}"), ("sumplus", f"the sum of the two terms before it plus {k}", f"{{b}} + {{a}} + {k}"), ("twiceplus", "twice the previous term plus the one before that", "2 * {b} + {a}"), ("plustwice", "the previous term plus twice the one before that", "{b} + 2 * {a}"), ("difference", "the previous term minus the one before that", "{b} - {a}"), ("multiple", f"{k} times the previous term minus the one before that", f"{k} * {{b}} - {{a}}"), ("product", "the product of the two terms before it plus 1", "{b} * {a} + 1"), ("summod", f"the sum of the two terms before it modulo {k + 5}", f"({{b}} + {{a}}) % {k + 5}")))
    else:
        key, said, code = r.choice((("plus", f"the previous term plus {k}", f"{{b}} + {k}"), ("times", f"{k + 1} times the previous term", f"{k + 1} * {{b}}"), ("affine", f"twice the previous term plus {k}", f"2 * {{b}} + {k}"), ("affineminus", f"{k + 1} times the previous term minus 1", f"{k + 1} * {{b}} - 1"), ("plusindex", "the previous term plus its index", "{b} + {n}"), ("timesindex", "the previous term times its index", "{b} * {n}"), ("plussquare", "the previous term plus the square of its index", "{b} + {n} * {n}"), ("square", "the square of the previous term minus 1", "{b} * {b} - 1"), ("minusindex", "its index minus the previous term", "{n} - {b}"), ("squaremod", f"the square of the previous term plus 1, modulo {k + 10}", f"({{b}} * {{b}} + 1) % {k + 10}")))
    result = r.choice(("term", "term", "list"))
    doc_start = f"starts with {first} and {second}" if two else f"starts with {first}"
    rule = r.choice((f"each later term is {said}", f"every following term is {said}", f"each next term is {said}"))
    key = f"rec/{'two' if two else 'one'}/{key}/{result}"
    name = name_for(r, [r.choice(("sequence", "term", "nth", "series", "recurrence", "seq")), r.choice(("term", "value", "number", "of", ""))])
    x, y = r.choice((("a", "b"), ("prev", "cur"), ("x", "y"), ("p", "q")))
    i = r.choice([v for v in ("i", "j", "step") if v != n])
    variable = lambda b, a="", index=i: fill(code, b=b, a=a, n=index)
    few, until = (f"{n} - 1", f"{n} - 1") if r.hasty else (n, f"{n} + 1")
    style = r.choice(("rec", "loop", "loop")) if result == "term" else "loop"
    seq = r.choice(("seq", "terms", "values", "out"))
    if result == "term":
        doc = r.choice((f"Return the {n}-th term (counting from 0) of the sequence that {doc_start}, where {rule}", f"A sequence {doc_start}; {rule}. Return its term with index {n}, counting from 0"))
        if style == "rec":
            body = [f"if {n} == 0:", f"    return {first}"] + ([f"if {n} == 1:", f"    return {second}"] if two else [])
            body.append("return " + variable(f"{name}({n} - 1)", f"{name}({n} - 2)", n))
            if code.count("{b}") > 1:
                raise Rejected
        elif two:
            body = [f"{x}, {y} = {first}, {second}", f"for _ in range({few}):", f"    {x}, {y} = {y}, {variable(y, x)}", f"return {x}"]
        else:
            body = [f"{x} = {first}", f"for {i} in range(1, {until}):", f"    {x} = {variable(x)}", f"return {x}"]
    else:
        doc = f"Return the list of the first {n} terms of the sequence that {doc_start}, where {rule}"
        if "index" in said:
            raise Rejected
        if two:
            body = [f"{seq} = []", f"{x}, {y} = {first}, {second}", f"for _ in range({few}):", f"    {seq}.append({x})", f"    {x}, {y} = {y}, {variable(y, x)}", f"return {seq}"]
        else:
            body = [f"{seq} = []", f"{x} = {first}", f"for _ in range({few}):", f"    {seq}.append({x})", f"    {x} = {variable(x)}", f"return {seq}"]
    plan = [f"start {first}, {second}" if two else f"start {first}", "next = " + variable("b", "a", n), "term " + n if result == "term" else f"first {n}"]
    return finish(r, key, name, (n,), sentence(doc), plan_text(r, plan, style), body)


def while_loop(r):
    """A number that is changed by a rule until it is small: steps, values, largest or sum."""
    n = r.choice(("n", "num", "number", "x", "value"))
    k = r.choice((2, 3, 4, 5, 7, 10))
    changes = [
        ("collatz", "halve it if it is even, otherwise multiply it by 3 and add 1", "reaches 1", f"{n} != 1", [f"if {n} % 2 == 0:", f"    {n} //= 2", "else:", f"    {n} = 3 * {n} + 1"], "halve or 3n + 1"),
        ("halvedec", "halve it if it is even, otherwise subtract 1", "reaches 0", f"{n} > 0", [f"if {n} % 2 == 0:", f"    {n} //= 2", "else:", f"    {n} -= 1"], "halve or subtract 1"),
        ("halve", "halve it, rounding down", "reaches 0", f"{n} > 0", [f"{n} //= 2"], "halve"),
        ("divide", f"divide it by {k}, rounding down", "reaches 0", f"{n} > 0", [f"{n} //= {k}"], f"divide by {k}"),
        ("subtract", f"subtract {k}", f"is less than {k}", f"{n} >= {k}", [f"{n} -= {k}"], f"subtract {k}"),
        ("divides", f"divide it by {k}", f"is no longer divisible by {k}", f"{n} % {k} == 0", [f"{n} //= {k}"], f"divide by {k}"),
        ("digits", "replace it by the sum of its digits", "has a single digit", f"{n} > 9", [f"{n} = sum(int(d) for d in str({n}))"], "digit sum"),
        ("digitsquares", "replace it by the product of its digits", "has a single digit", f"{n} > 9", ["product = 1", f"for d in str({n}):", "    product *= int(d)", f"{n} = product"], "digit product"),
        ("third", "divide it by 3 if it is divisible by 3, otherwise subtract 1", "reaches 0", f"{n} > 0", [f"if {n} % 3 == 0:", f"    {n} //= 3", "else:", f"    {n} -= 1"], "third or subtract 1"),
    ]
    key, said, until, test, change, plan = r.choice(changes)
    result, phrase, start, update, end = r.choice((
        ("steps", r.choice(("how many steps that takes", "the number of steps", "how many steps it takes")), "{r} = 0", "{r} += 1", "return {r}"),
        ("values", r.choice(("the list of all values, including the first and the last", "all values seen, from the first to the last, as a list")), f"{{r}} = [{n}]", f"{{r}}.append({n})", "return {r}"),
        ("largest", "the largest value seen, including the start", f"{{r}} = {n}", f"{{r}} = max({{r}}, {n})", "return {r}"),
        ("sum", "the sum of all values seen, including the first and the last", f"{{r}} = {n}", f"{{r}} += {n}", "return {r}"),
        ("final", "the final value", "", "", f"return {n}"),
    ))
    if key in ("halve", "divide", "collatz", "halvedec", "third") and result == "final":
        raise Rejected
    variable = r.choice({"steps": ("steps", "count", "result"), "values": ("values", "path", "seen", "out"), "largest": ("best", "largest", "top"), "sum": ("total", "result", "acc"), "final": ("r",)}[result])
    doc = r.choice((f"Starting from the positive integer {n}, repeatedly {said} until it {until}. Return {phrase}", f"Take a positive integer and {said}, again and again, until it {until}; return {phrase}"))
    name = name_for(r, [r.choice(("steps", "reduce", "shrink", "repeat", "count", "path", key)), r.choice(("steps", "to_end", "number", "until", ""))])
    written = r.slip("while" + key.removesuffix("squares"), test)[0]
    start = r.slip(result, start)[0]
    lines = ([fill(start, r=variable)] if start else []) + [f"while {written}:"] + indent(change + ([fill(update, r=variable)] if update else [])) + [fill(end, r=variable)]
    return finish(r, f"while/{key}/{result}", name, (n,), sentence(doc), plan_text(r, ["while " + test, plan, result], "loop"), lines)


FORMULAS = (
    ("rectarea", "the area of a rectangle with sides {0} and {1}", (("a", "b"), ("width", "height"), ("length", "width")), "{0} * {1}", ""),
    ("rectperimeter", "the perimeter of a rectangle with sides {0} and {1}", (("a", "b"), ("width", "height"), ("length", "width")), "2 * ({0} + {1})", ""),
    ("trianglearea", "the area of a triangle with base {0} and height {1}", (("base", "height"), ("b", "h")), "{0} * {1} / 2", ""),
    ("circlearea", "the area of a circle with radius {0}", (("r",), ("radius",)), "math.pi * {0} ** 2", "math"),
    ("circumference", "the circumference of a circle with radius {0}", (("r",), ("radius",)), "2 * math.pi * {0}", "math"),
    ("spherevolume", "the volume of a sphere with radius {0}", (("r",), ("radius",)), "4 / 3 * math.pi * {0} ** 3", "math"),
    ("cylinder", "the volume of a cylinder with radius {0} and height {1}", (("r", "h"), ("radius", "height")), "math.pi * {0} ** 2 * {1}", "math"),
    ("cone", "the volume of a cone with radius {0} and height {1}", (("r", "h"), ("radius", "height")), "math.pi * {0} ** 2 * {1} / 3", "math"),
    ("hypotenuse", "the hypotenuse of a right triangle with legs {0} and {1}", (("a", "b"), ("x", "y")), "math.sqrt({0} ** 2 + {1} ** 2)", "math"),
    ("fahrenheit", "the temperature in Fahrenheit for {0} degrees Celsius", (("c",), ("celsius",), ("t",)), "{0} * 9 / 5 + 32", ""),
    ("celsius", "the temperature in Celsius for {0} degrees Fahrenheit", (("f",), ("fahrenheit",), ("t",)), "({0} - 32) * 5 / 9", ""),
    ("average2", "the average of {0} and {1}", (("a", "b"), ("x", "y")), "({0} + {1}) / 2", ""),
    ("average3", "the average of {0}, {1} and {2}", (("a", "b", "c"), ("x", "y", "z")), "({0} + {1} + {2}) / 3", ""),
    ("percent", "{0} percent of {1}", (("p", "amount"), ("rate", "total"), ("percent", "value")), "{1} * {0} / 100", ""),
    ("discount", "the price {0} after a discount of {1} percent", (("price", "percent"), ("price", "discount")), "{0} * (1 - {1} / 100)", ""),
    ("tax", "the price {0} plus a tax of {1} percent", (("price", "rate"), ("amount", "tax")), "{0} * (1 + {1} / 100)", ""),
    ("interest", "the simple interest on {0} at {1} percent a year for {2} years", (("principal", "rate", "years"), ("amount", "rate", "time")), "{0} * {1} * {2} / 100", ""),
    ("compound", "the value of {0} after {2} years at {1} percent compound interest a year", (("principal", "rate", "years"), ("amount", "rate", "years")), "{0} * (1 + {1} / 100) ** {2}", ""),
    ("squarediff", "the difference between the squares of {0} and {1}", (("a", "b"), ("x", "y")), "{0} ** 2 - {1} ** 2", ""),
    ("sumsquares", "the sum of the squares of {0} and {1}", (("a", "b"), ("x", "y")), "{0} ** 2 + {1} ** 2", ""),
    ("gap", "the absolute difference of {0} and {1}", (("a", "b"), ("x", "y"), ("first", "second")), "abs({0} - {1})", ""),
    ("trapezoid", "the area of a trapezoid with parallel sides {0} and {1} and height {2}", (("a", "b", "h"), ("a", "b", "height")), "({0} + {1}) * {2} / 2", ""),
    ("bmi", "the body mass index for a weight of {0} kg and a height of {1} m", (("weight", "height"), ("w", "h")), "{0} / {1} ** 2", ""),
    ("box", "the volume of a box with sides {0}, {1} and {2}", (("a", "b", "c"), ("length", "width", "height")), "{0} * {1} * {2}", ""),
    ("boxsurface", "the surface area of a box with sides {0}, {1} and {2}", (("a", "b", "c"), ("length", "width", "height")), "2 * ({0} * {1} + {1} * {2} + {0} * {2})", ""),
    ("minutes", "the number of minutes in {0} hours and {1} minutes", (("hours", "minutes"), ("h", "m")), "{0} * 60 + {1}", ""),
    ("speed", "the speed for a distance of {0} and a time of {1}", (("distance", "time"), ("d", "t")), "{0} / {1}", ""),
    ("km", "the distance in kilometers for {0} miles (1 mile is 1.609 km)", (("miles",), ("m",)), "{0} * 1.609", ""),
)


def formula(r):
    """A formula, changed by up to two modifiers, maybe guarded against bad arguments."""
    key, said, names, code, module = r.choice(FORMULAS)
    args = r.choice(names)
    phrase, expression = said.format(*args), r.slip(key, code)[0].format(*args)
    keys, plan = [key], [key.rstrip("0123456789")]
    result = r.choice(("result", "value", "res", "out", "total"))
    lines = [f"{result} = {expression}"]
    last = expression
    after = []
    guard = r.random() < 0.25
    for modifier in r.sample(("round", "plus", "half", "twice", "cap", "floor"), r.choices((0, 1, 2), (25, 55, 20))[0]):
        k = r.choice((1, 2, 3, 5, 10, 20, 100))
        d = r.choice((0, 1, 2, 2, 3))
        text, change, short = {
            "round": (f"rounded to {d} decimals", f"round({{v}}, {d})", f"round {d}"),
            "plus": (f"plus {k}", f"{{v}} + {k}", f"add {k}"),
            "half": ("divided by 2", "{v} / 2", "half"),
            "twice": ("times 2", "{v} * 2", "double"),
            "cap": (f"but at most {k * 10}", f"min({{v}}, {k * 10})", f"cap {k * 10}"),
            "floor": (f"but at least {k}", f"max({{v}}, {k})", f"at least {k}"),
        }[modifier]
        after.append(text)
        keys.append(modifier)
        plan.append(short)
        change = r.slip(modifier, change)[0]
        last = fill(change, v=bracket(last) if change[0] == "{" else last)
        lines.append(f"{result} = {fill(change, v=result)}")
    if result in args:
        raise Rejected
    style = r.choice(("gen", "loop"))
    doc = r.choice(("Return ", "Compute ", "Calculate ", "Return ")) + phrase + ("" if not after else ", " + " and then ".join(after) if len(after) > 1 or r.random() < 0.5 else " " + after[0])
    body = [f"return {last}"] if style == "gen" else lines + [f"return {result}"]
    if len(lines) == 1:
        body = [f"return {last}"]
    if guard:
        sentinel = r.choice(("0", "None", "-1", "0.0"))
        some = f"{args[0]} is" if len(args) == 1 else r.choice(("any argument is", f"{args[0]} or {args[1]} is")) if len(args) == 2 else "any argument is"
        test = " or ".join(r.slip("guard", *(f"{a} < 0" for a in args)))
        doc += r.choice((f". Return {sentinel} if {some} negative", f", or {sentinel} if {some} negative"))
        body = [f"if {test}:", f"    return {sentinel}"] + body
        keys.append("guard")
        plan.insert(0, f"negative: {sentinel}")
    name = name_for(r, [key.rstrip("0123456789")] + [r.choice(("value", "of", "rounded", ""))])
    if name in ("round",):
        raise Rejected
    return finish(r, "formula/" + "/".join(keys), name, args, sentence(doc), plan_text(r, plan, ""), ["import math"] * (module == "math") + body)


def dictionary(r):
    """Entries of a dictionary: chosen by key or value, values changed, and a result."""
    d = r.choice(DICT_NAMES)
    k, v = r.choice((("k", "v"), ("key", "value"), ("name", "score"), ("key", "val")))
    if d in (k, v):
        raise Rejected
    parts, conditions, keys, plan = [], [], [], []
    chosen = r.choice(("value", "value", "key", "none", "both"))
    if chosen in ("value", "both"):
        key, said, p, code = condition_on(r, v, PLAIN_CONDITIONS)
        parts.append(f"whose value is {said}")
        conditions.append(code); keys.append("v" + key); plan.append(p + " values")
    if chosen in ("key", "both"):
        o = r.choice([o for o in WORD_FILTERS if o.key in ("longer", "shorter", "exact", "starts", "endsin", "contains", "lacks", "numeric", "uppercase", "lowercase")])
        c, _ = constant_for(r, o.constant)
        said = {"longer": f"is longer than {c} characters", "shorter": f"is shorter than {c} characters", "exact": f"has exactly {c} characters", "starts": f"starts with '{c}'", "endsin": f"ends with '{c}'", "contains": f"contains '{c}'", "lacks": f"does not contain '{c}'", "numeric": "is made only of digits", "uppercase": "is in upper case", "lowercase": "is in lower case"}[o.key]
        parts.append(f"whose key {said}")
        conditions.append(fill(o.code[0], x=k, k=c)); keys.append("k" + o.key); plan.append(fill(o.plan[0], k=c) + " keys")
    value, change = v, ""
    if r.random() < 0.4:
        o = r.choice([o for o in INT_MAPS if o.key in ("square", "double", "negate", "abs", "add", "subtract", "multiply", "cap", "halve", "remainder", "tostring")])
        c, _ = constant_for(r, o.constant)
        value = fill(r.slip(o.key, r.choice(o.code))[0], x=v, k=c)
        change = {"square": "squared", "double": "doubled", "negate": "negated", "abs": "replaced by its absolute value", "add": f"increased by {c}", "subtract": f"decreased by {c}", "multiply": f"multiplied by {c}", "cap": f"capped at {c}", "halve": "halved, rounding down", "remainder": f"taken modulo {c}", "tostring": "converted to a string"}[o.key]
        keys.append(o.key); plan.append(fill(o.plan[0], k=c))
    which = " and ".join(parts)
    entries = f"the entries {which}" if which else "all entries"
    keyed = f"the keys {which}".replace("whose value", "whose value").replace("whose key", "that satisfy: the key") if which else "all keys"
    if which and chosen == "key":
        keyed = "the keys of the entries " + which
    result = r.choice(("dict", "dict", "keys", "sortedkeys", "sum", "count", "invert", "best", "pairs"))
    test = f" if {' and '.join(f'({c})' if ' or ' in c and len(conditions) > 1 else c for c in conditions)}" if conditions else ""
    of = r.choice(("of the dictionary", f"of {d}", "of a dictionary", "of the dictionary"))
    items = f"for {k}, {v} in {d}.items(){test}"
    out = r.choice([o for o in ("result", "out", "res", "kept") if o != d])
    style = r.choice(("gen", "loop"))
    loop = lambda start, update, end: [start, f"for {k}, {v} in {d}.items():"] + (indent(["if " + test[4:] + ":"]) + indent([update], 2) if test else indent([update])) + [end]
    changed = f", with each value {change}" if change else ""
    if result in ("keys", "sortedkeys", "count", "best", "invert") and change:
        raise Rejected
    if result in ("dict", "count", "pairs") and not which and not change:
        raise Rejected
    if result == "dict":
        doc = f"Return a {r.choice(('new dictionary', 'dictionary'))} with {'only ' if which else ''}{entries} {of}{changed}"
        body = [f"return {{{k}: {value} {items}}}"] if style == "gen" else loop(f"{out} = {{}}", f"{out}[{k}] = {value}", f"return {out}")
        plan.append("dict")
    elif result == "keys":
        doc = f"Return the list of {keyed} {of if chosen != 'both' else ''}".rstrip() if chosen != "both" else f"Return the list of the keys of {entries} {of}"
        if chosen == "value":
            doc = f"Return the list of the keys {which} in the dictionary"
        body = [f"return [{k} {items}]"] if style == "gen" else loop(f"{out} = []", f"{out}.append({k})", f"return {out}")
        plan.append("keys")
    elif result == "sortedkeys":
        doc = f"Return the keys of {entries} {of}, sorted"
        body = [f"return sorted({k} {items})"] if style == "gen" else loop(f"{out} = []", f"{out}.append({k})", f"return sorted({out})")
        plan.append("sorted keys")
    elif result == "sum":
        doc = f"Return the sum of the values of {entries} {of}{changed}"
        body = [f"return sum({value} {items})"] if style == "gen" else loop(f"{out} = 0", f"{out} += {value}", f"return {out}")
        plan.append("sum values")
        if value.startswith("str("):
            raise Rejected
    elif result == "count":
        doc = f"Return how many entries {which} there are in the dictionary"
        body = [f"return sum(1 {items})"] if style == "gen" else loop(f"{out} = 0", f"{out} += 1", f"return {out}")
        plan.append("count")
    elif result == "invert":
        doc = f"Return a dictionary with keys and values swapped, made of {entries} {of}"
        body = [f"return {{{v}: {k} {items}}}"] if style == "gen" else loop(f"{out} = {{}}", f"{out}[{v}] = {k}", f"return {out}")
        plan.append("swap")
    elif result == "best":
        better, sign = r.choice((("largest", ">"), ("smallest", "<")))
        keys.append(better)
        doc = f"Return the key with the {better} value among {entries} {of}, or None if there are none; the first one wins a tie"
        body = loop(f"{out} = None", "{}", f"return {out}")
        inner = [r.slip("best" + better, f"if {out} is None or {v} {sign} {d}[{out}]:")[0], f"    {out} = {k}"]
        body = [line for line in body if "{}" not in line][:-1] + indent(inner, 2 if test else 1) + [f"return {out}"]
        style = "loop"
        plan.append(better + " value")
    else:
        doc = f"Return the list of (key, value) pairs of {entries} {of}{changed}, sorted"
        body = [f"return sorted(({k}, {value}) {items})"] if style == "gen" else loop(f"{out} = []", f"{out}.append(({k}, {value}))", f"return sorted({out})")
        plan.append("sorted pairs")
    name = name_for(r, [r.choice(("filter", "select", "pick", "dict", "keys", "values", "entries", result)), r.choice(("dict", "entries", "by_value", "keys", "table", ""))])
    return finish(r, "dict/" + "/".join(keys + [result]), name, (d,), sentence(doc), plan_text(r, plan, style), body)


TEXT_OPS = [
    op("strip", "", "strip", "{x}.strip()", "remove spaces at both ends|strip surrounding whitespace", words="strip|trim|clean"),
    op("lower", "", "lower case", "{x}.lower()", "convert it to lower case|make it lower case", words="lower"),
    op("upper", "", "upper case", "{x}.upper()", "convert it to upper case|make it upper case", words="upper|shout"),
    op("reverse", "", "reverse", "{x}[::-1]|''.join(reversed({x}))", "reverse it|write it backwards", words="reverse|backwards"),
    op("nospace", "", "remove spaces", "{x}.replace(' ', '')|''.join({x}.split(' '))", "remove all spaces|delete the spaces", words="no_spaces|compact"),
    op("replace", "", "replace '{k}' by '{k2}'", "{x}.replace('{k}', '{k2}')", "replace every '{k}' by '{k2}'|replace each '{k}' with '{k2}'", "letters", words="replace|swap"),
    op("remove", "", "remove '{k}'", "{x}.replace('{k}', '')", "remove every '{k}'|delete each '{k}'", "letter", words="remove|without"),
    op("reversewords", "", "reverse word order", "' '.join({x}.split()[::-1])|' '.join(reversed({x}.split()))", "reverse the order of its words|put its words in reverse order", words="reverse_words|words"),
    op("sortwords", "", "sort words", "' '.join(sorted({x}.split()))", "sort its words alphabetically|put its words in alphabetical order", words="sort_words"),
    op("collapse", "", "single spaces", "' '.join({x}.split())", "collapse runs of whitespace into single spaces", words="collapse|normalize"),
    op("head", "", "first {k}", "{x}[:{k}]", "keep its first {k} characters|cut it to {k} characters", "count", words="first|head|cut"),
    op("tail", "", "last {k}", "{x}[-{k}:]", "keep its last {k} characters", "count", words="last|tail"),
    op("append", "", "append '{k}'", "{x} + '{k}'", "append '{k}'|add '{k}' at the end", "mark", words="append|end"),
    op("prepend", "", "prepend '{k}'", "'{k}' + {x}", "put '{k}' in front|prepend '{k}'", "mark", words="prepend|prefix"),
    op("double", "", "repeat twice", "{x} * 2|{x} + {x}", "repeat it twice|write it twice", words="twice|double"),
    op("mirror", "", "add reverse", "{x} + {x}[::-1]", "append its reverse|add its own reverse at the end", words="mirror"),
    op("capitalize", "", "capitalize", "{x}.capitalize()", "capitalize it|make its first letter upper case and the rest lower case", words="capitalize"),
    op("swap", "", "swap case", "{x}.swapcase()", "swap its case", words="swapcase"),
]
TEXT_ENDS = [
    op("text", "", "string", "{x}", "return the string|return the result|return it"),
    op("length", "", "length", "len({x})", "return its length|return the number of characters", words="length|len"),
    op("palindrome", "", "palindrome?", "{x} == {x}[::-1]", "return True if it reads the same backwards, else False|return whether it is a palindrome", words="palindrome|is_palindrome"),
    op("starts", "", "starts with '{k}'?", "{x}.startswith('{k}')", "return whether it starts with '{k}'", "letter", words="starts"),
    op("count", "", "count '{k}'", "{x}.count('{k}')", "return how often '{k}' occurs in it|count how many times '{k}' occurs", "letter", words="count"),
    op("words", "", "word list", "{x}.split()", "return the list of its words", words="words|split"),
    op("wordcount", "", "word count", "len({x}.split())", "return the number of words", words="word_count"),
    op("chars", "", "character list", "list({x})", "return the list of its characters", words="chars|letters"),
    op("distinct", "", "count distinct", "len(set({x}))", "return the number of different characters", words="distinct|unique"),
    op("find", "", "index of '{k}'", "{x}.find('{k}')", "return the index of the first '{k}', or -1 if there is none", "letter", words="find|index"),
    op("half", "", "first half", "{x}[:len({x}) // 2]", "return its first half (rounded down)", words="half"),
]


def text(r):
    """One to three operations on a whole string, and what is returned of it."""
    a = r.choice(TEXT_NAMES)
    ops = r.sample(TEXT_OPS, r.choices((1, 2, 3), (35, 45, 20))[0])
    end = r.choice(TEXT_ENDS + TEXT_ENDS[:1] * 6)
    told, plan, codes = [], [], []
    for o in ops + [end]:
        k, k2 = (r.choice("aeiostrn"), r.choice("xyzkmu*-_")) if o.constant == "letters" else constant_for(r, o.constant)
        told.append(fill(r.choice(o.told), k=k, k2=k2))
        plan.append(fill(r.choice(o.plan), k=k, k2=k2))
        codes.append(fill(r.slip("text/" + o.key, r.choice(o.code))[0], k=k, k2=k2))
    style = r.choice(("gen", "loop"))
    variable = r.choice((a, "out", "res", "result", "t"))
    current, body = a, []
    for code in codes[:-1]:
        if style == "gen" and code.count("{x}") == 1:
            current = fill(code, x=f"({current})" if re.search(r" [+*] ", current) and not code.endswith("+ {x}") else current)
        else:
            body.append(f"{variable} = {fill(code, x=current)}" if re.fullmatch(r"\w+", current) or code.count("{x}") == 1 else f"{variable} = {current}")
            if not (re.fullmatch(r"\w+", current) or code.count("{x}") == 1):
                body.append(f"{variable} = {fill(code, x=variable)}")
            current = variable
    if codes[-1].count("{x}") > 1 and not re.fullmatch(r"\w+", current):
        body.append(f"{variable} = {current}")
        current = variable
    if "{x}" in codes[-1].replace("({x})", "") and re.search(r" [+*] ", current):
        current = f"({current})"
    body.append("return " + fill(codes[-1], x=current))
    intro = r.choice(("Given a string, ", "Take the string and ", "", "In the string, ", f"Take {a}, "))
    first = told[0] if intro else told[0].replace(" it ", " the string ", 1) if " it " in told[0] else re.sub(r" it$", " the string", told[0]).replace(" its ", " the string's ", 1)
    steps = [first] + told[1:]
    doc = intro + (", ".join(steps[:-1]) + r.choice((" and ", ", then ")) + steps[-1] if r.random() < 0.7 else ", then ".join(steps))
    name = name_for(r, [r.choice(o.words) for o in ops + [end] if o.words] + [r.choice(("text", "string", ""))])
    return finish(r, "text/" + "/".join(o.key for o in ops + [end]), name, (a,), sentence(doc), plan_text(r, plan, "" if style == "gen" else ""), body)


NEIGHBOURS = (
    ("rise", "the second is greater than the first", "rises", "{b} > {a}"), ("fall", "the second is smaller than the first", "falls", "{b} < {a}"), ("equal", "the two are equal", "equal", "{a} == {b}"),
    ("differ", "the two are different", "differ", "{a} != {b}"), ("near", "the two differ by at most {k}", "differ by <= {k}", "abs({a} - {b}) <= {k}"), ("far", "the two differ by more than {k}", "differ by > {k}", "abs({a} - {b}) > {k}"),
    ("parity", "both have the same parity", "same parity", "{a} % 2 == {b} % 2"), ("divides", "their sum is divisible by {k}", "sum divisible by {k}", "({a} + {b}) % {k} == 0"), ("double", "the second is twice the first", "doubles", "{b} == 2 * {a}"), ("bothpositive", "both are positive", "both positive", "{a} > 0 and {b} > 0"),
)


def neighbours(r):
    """A condition on neighbouring pairs, or on pairs of two lists: count, all, any, list, or longest run."""
    over = r.choice(("adjacent", "adjacent", "zip"))
    key, said, plan, code = r.choice(NEIGHBOURS)
    code, = r.slip(key, code)
    k = r.choice(("1", "2", "3", "5", "10"))
    a, b = r.choice((("a", "b"), ("x", "y"), ("p", "q"), ("prev", "cur"), ("u", "v")))
    args = (r.choice(LIST_NAMES),) if over == "adjacent" else r.choice((("xs", "ys"), ("first", "second"), ("left", "right"), ("nums1", "nums2")))
    test = fill(code, a=a, b=b, k=k)
    said = fill(said, k=k)
    pairs = f"zip({args[0]}, {args[0]}[1:])" if over == "adjacent" else f"zip({args[0]}, {args[1]})"
    what = r.choice(("neighbouring numbers", "consecutive numbers", "adjacent numbers")) if over == "adjacent" else "numbers at the same position of the two lists"
    result = r.choice(("count", "all", "any", "list", "indices", "run") if over == "adjacent" else ("count", "all", "any", "list", "indices"))
    out = r.choice(("result", "count", "total", "out", "res"))
    style = r.choice(("gen", "loop", "loop"))
    i = r.choice([v for v in ("i", "j", "idx") if v not in (a, b)])
    x, y = (f"{args[0]}[{i}]", f"{args[0]}[{i} + 1]") if over == "adjacent" else (f"{args[0]}[{i}]", f"{args[1]}[{i}]")
    length = f"len({args[0]}) - 1" if over == "adjacent" else f"len({args[0]})"
    indexed = fill(code, a=x, b=y, k=k)
    by_index = r.random() < 0.4
    header, condition = (f"for {i} in range({length}):", indexed) if by_index else (f"for {a}, {b} in {pairs}:", test)
    if result == "count":
        doc = f"Return the number of pairs of {what} where {said}"
        body = [f"return sum(1 {header[:-1]} if {condition})"] if style == "gen" else [f"{out} = 0", header, f"    if {condition}:", f"        {out} += 1", f"return {out}"]
    elif result in ("all", "any"):
        doc = f"Return True if for {'every pair' if result == 'all' else 'at least one pair'} of {what} {said}, else False"
        body = [f"return {result}({condition} {header[:-1]})"] if style == "gen" else [header, f"    if {'not (' + condition + ')' if result == 'all' else condition}:", f"        return {result == 'any'}", f"return {result == 'all'}"]
    elif result == "list":
        doc = f"Return the list of pairs (as tuples) of {what} where {said}"
        body = [f"return [({a}, {b}) for {a}, {b} in {pairs} if {test}]"] if style == "gen" else [f"{out} = []", f"for {a}, {b} in {pairs}:", f"    if {test}:", f"        {out}.append(({a}, {b}))", f"return {out}"]
    elif result == "indices":
        doc = f"Return the list of indices {'of the first number ' if over == 'adjacent' else ''}of all pairs of {what} where {said}"
        body = [f"return [{i} for {i} in range({length}) if {indexed}]"] if style == "gen" else [f"{out} = []", f"for {i} in range({length}):", f"    if {indexed}:", f"        {out}.append({i})", f"return {out}"]
    else:
        style = "loop"
        doc = f"Return the length of the longest run of consecutive numbers where for each pair of neighbours {said}, or 0 if the list is empty"
        best, run = r.choice((("best", "run"), ("longest", "current"), ("result", "length")))
        z = args[0]
        body = [f"if not {z}:", "    return 0", r.slip("run", f"{best} = {run} = 1")[0], f"for {a}, {b} in {pairs}:", f"    if {test}:", f"        {run} += 1", "    else:", f"        {run} = 1", f"    {best} = max({best}, {run})", f"return {best}"]
    if set(args) & {a, b, i, out}:
        raise Rejected
    name = name_for(r, [r.choice(("count", "pairs", "check", "find", result)), r.choice(("pairs", "neighbours", "adjacent", "steps", "", key))])
    return finish(r, f"pairs/{over}/{key}/{result}", name, args, sentence(doc), plan_text(r, ["neighbours" if over == "adjacent" else "zip", fill(plan, k=k), result], style), body)


def nested(r):
    """Numbers in lists nested to any depth: filter, map, fold, by recursion."""
    a = r.choice(("items", "nested", "lst", "data", "tree", "xs"))
    x = r.choice([v for v in ("x", "item", "value", "e", "elem") if v != a])
    keys, conditions, noun, plan = [], [], "numbers", ["nested"]
    if r.random() < 0.6:
        o = r.choice(INT_FILTERS)
        c, c2 = constant_for(r, o.constant)
        noun = fill(r.choice(o.said), n=noun, k=c, k2=c2)
        conditions.append(fill(r.slip(o.key, r.choice(o.code))[0], x=x, k=c, k2=c2)); keys.append(o.key); plan.append(fill(r.choice(o.plan), k=c, k2=c2))
    phrase, element = f"all {noun} in a nested list of integers", x
    if r.random() < 0.5:
        o = r.choice([o for o in INT_MAPS if o.key != "tostring"])
        c, _ = constant_for(r, o.constant)
        phrase = fill(r.choice(o.said), s=phrase, k=c)
        element = fill(r.slip(o.key, r.choice(o.code))[0], x=x, k=c); keys.append(o.key); plan.append(fill(r.choice(o.plan), k=c))
    result, said, start, update, merge = r.choice((("sum", "the sum of", "0", "+= {e}", "+= {call}"), ("count", "the number of", "0", "+= 1", "+= {call}"), ("flat", "a flat list of", "[]", ".append({e})", ".extend({call})"), ("product", "the product of", "1", "*= {e}", "*= {call}")))
    if result == "count" and element != x:
        raise Rejected
    start, = r.slip(result, start)
    merge, = r.slip("nested", merge)
    out = r.choice([v for v in ("total", "result", "out", "acc", "res") if v != a])
    name = name_for(r, [r.choice(("nested", "deep", "flatten" if result == "flat" else result)), r.choice((result, "numbers", "all", "deep"))])
    glue = "" if result == "flat" else " "
    inner = [f"{out}{glue}{fill(update, e=element)}"]
    branch = [f"if isinstance({x}, list):", f"    {out}{glue}{fill(merge, call=f'{name}({x})')}"]
    branch += [f"elif {conditions[0]}:"] + indent(inner) if conditions else ["else:"] + indent(inner)
    doc = r.choice(("Return", "Return", "Compute")) + f" {said} {phrase}" + r.choice(("", " (lists may hold lists)", ", at any depth"))
    body = [f"{out} = {start}", f"for {x} in {a}:"] + indent(branch) + [f"return {out}"]
    return finish(r, "nested/" + "/".join(keys + [result]), name, (a,), sentence(doc), plan_text(r, plan + [result], "rec"), body)


def two_dicts(r):
    """Two dictionaries combined key by key."""
    a, b = r.choice((("a", "b"), ("first", "second"), ("left", "right"), ("d1", "d2")))
    k = r.choice(("k", "key", "name"))
    keyset, said, code = r.choice((("both", "the keys that are in both dictionaries", f"for {k} in {a} if {k} in {b}"), ("first", f"the keys of the first dictionary that are not in the second", f"for {k} in {a} if {k} not in {b}"), ("union", "all keys of the two dictionaries", f"for {k} in {{**{a}, **{a if r.hasty else b}}}")))
    x, y = (f"{a}[{k}]", f"{b}[{k}]") if keyset == "both" else (f"{a}.get({k}, 0)", f"{b}.get({k}, 0)")
    if keyset == "first":
        how, phrase, value = "value", "its value", f"{a}[{k}]"
    else:
        how, phrase, value = r.choice((("sum", "the sum of its values", f"{x} + {y}"), ("max", "the larger of its values", f"max({x}, {y})"), ("min", "the smaller of its values", f"min({x}, {y})"), ("product", "the product of its values", f"{x} * {y}"), ("difference", "the first value minus the second", f"{x} - {y}")))
    missing = " (0 where a key is missing)" if keyset == "union" else ""
    result = r.choice(("dict", "dict", "sum", "keys", "count"))
    style = r.choice(("gen", "loop"))
    out = r.choice(("result", "out", "merged", "res"))
    header, _, test = code.partition(" if ")
    loop = lambda start, update: [f"{out} = {start}", header + ":"] + (indent([f"if {test}:", f"    {update}"]) if test else indent([update])) + [f"return {out}"]
    if result == "dict":
        doc = f"Return a dictionary from {said} to {phrase}{missing}"
        body = [f"return {{{k}: {value} {code}}}"] if style == "gen" else loop("{}", f"{out}[{k}] = {value}")
    elif result == "sum":
        doc = f"For each of {said}, take {phrase}{missing}; return the sum"
        body = [f"return sum({value} {code})"] if style == "gen" else loop("0", f"{out} += {value}")
    elif result == "keys":
        how = ""
        doc = f"Return {said}, sorted"
        body = [f"return sorted({k} {code})"] if style == "gen" else loop("[]", f"{out}.append({k})")[:-1] + [f"return sorted({out})"]
    else:
        how = ""
        doc = f"Return the number of {said}".replace("number of the keys", "number of keys").replace("number of all keys", "number of different keys")
        body = [f"return sum(1 {code})"] if style == "gen" else loop("0", f"{out} += 1")
    name = name_for(r, [r.choice(("merge", "combine", "join", "shared", "keys")), r.choice(("dicts", "tables", "counts", "two", how))])
    return finish(r, f"twodicts/{keyset}/{how}/{result}", name, (a, b), sentence(doc), plan_text(r, [keyset + " keys", how, result], style), body)


def whole_list(r):
    """What is asked of a list as a whole: a rank, the middle, the most frequent, the least that is missing."""
    a = r.choice(LIST_NAMES)
    x = r.choice([v for v in ("x", "n", "v", "y") if v != a])
    values = r.choice([v for v in ("values", "ordered", "kept", "found") if v != a])
    kind = r.choice(("rank", "rank", "median", "mode", "missing"))
    noun, chosen, filter_key, plan = "numbers", a, "", []
    if kind != "missing" and r.random() < 0.75:
        o = r.choice(INT_FILTERS[:12])
        k, k2 = constant_for(r, o.constant)
        noun, chosen, filter_key = fill(r.choice(o.said), n=noun, k=k, k2=k2), f"[{x} for {x} in {a} if {fill(r.slip(o.key, r.choice(o.code))[0], x=x, k=k, k2=k2)}]", o.key
        plan = [fill(r.choice(o.plan), k=k, k2=k2)]
    where = r.choice((" in the list", " of the list")) if filter_key or r.random() < 0.5 else ""
    if kind == "rank":
        place, ordinal, few = r.choice(((2, "second", "two"), (3, "third", "three"), (4, "fourth", "four")))
        end = r.choice(("largest", "smallest"))
        doc = f"Return the {ordinal} {end} of the distinct {noun}{where}, or None if there are fewer than {few}"
        body = [f"{values} = " + fill(r.slip("rank", "sorted(set({v}))")[0], v=chosen), f"return {values}[{-place if end == 'largest' else place - 1}] if len({values}) > {place - 1} else None"]
        key, plan = f"rank/{ordinal}{end}/{filter_key}", plan + ["distinct", "sort", f"{ordinal} {end}"]
    elif kind == "median":
        empty = "if there are none" if filter_key else "for an empty list"
        doc = f"Return the median of the {noun}{where} as a float, or None {empty}"
        body = [f"{values} = sorted({chosen})", "return " + r.slip("median", f"({values}[len({values}) // 2] + {values}[(len({values}) - 1) // 2]) / 2")[0] + f" if {values} else None"]
        key, plan = f"median/{filter_key}", plan + ["sort", "median"]
    elif kind == "mode":
        tie = r.choice(("smallest", "largest"))
        best, sign = ("min", "-") if tie == "smallest" else ("max", "")
        empty = "if there are none" if filter_key else "for an empty list"
        subject = f"of the {noun}{where} the one" if filter_key else "the number"
        doc = f"Return {subject} that occurs most often, the {tie} one in a tie, or None {empty}"
        body = [f"{values} = {chosen}"] if filter_key else []
        held = values if filter_key else a
        ranked = f"({sign}{held}.count({x}), {'-' if r.hasty else ''}{x})"
        body.append(f"return {best}({held}, key=lambda {x}: {ranked}, default=None)")
        key, plan = f"mode/{tie}/{filter_key}", plan + ["most often", f"{tie} in a tie"]
    else:
        start, step, phrase = r.choice(((1, 1, "positive integer"), (0, 1, "non-negative integer"), (1, 2, "positive odd number"), (2, 2, "positive even number"), (3, 3, "positive multiple of 3"), (5, 5, "positive multiple of 5"), (10, 1, "integer from 10 up")))
        i = r.choice([v for v in ("i", "k", "candidate") if v != a])
        doc = f"Return the smallest {phrase} that the list does not hold"
        body = [f"{i} = {start}", f"while {i} in {a}:", f"    {i} += {step}", f"return {i}"]
        key, plan = f"missing/{start}/{step}", [f"from {start}", f"while in list, add {step}"]
    name = name_for(r, [kind, r.choice(("of", "number", "value", "")), filter_key])
    return finish(r, "whole/" + key, name, (a,), sentence(doc), plan_text(r, plan, ""), body)


def rearranged(r):
    """Parts of a sequence moved, rows and columns swapped, two strings compared letter by letter."""
    kind = r.choice(("rotate", "columns", "letters"))
    if kind == "rotate":
        listed, left = r.random() < 0.6, r.random() < 0.5
        a = r.choice(LIST_NAMES if listed else TEXT_NAMES)
        k = r.choice([p for p in ("k", "n", "m", "count") if p != a]) if r.random() < 0.6 else str(r.choice((1, 2, 3, 4)))
        things, noun, empty = ("numbers", "list", "[]") if listed else ("characters", "string", "''")
        side, goal, cut = ("first", "end", f"{k} % len({a})") if left else ("last", "front", f"-{k} % len({a})")
        cut, = r.slip("rotate", cut)
        doc = f"Move the {side} {k} {things} of the {noun} to its {goal} ({k} may exceed the length) and return the new {noun}"
        body = [f"if not {a}:", f"    return {empty}", f"cut = {cut}", f"return {a}[cut:] + {a}[:cut]"]
        args = (a,) + ((k,) if k.isalpha() else ())
        key, plan = f"rotate/{side}/{noun}/{'@' if k.isalpha() else ''}", [f"{side} {k}", f"to the {goal}"]
    elif kind == "columns":
        a = r.choice(MATRIX_NAMES)
        column = r.choice(("col", "column", "c"))
        key, said, code, short = r.choice((
            ("list", "return a list of lists", r.slip("columns", f"list({column})")[0], "list"), ("reversed", "reverse every new row and return a list of lists", f"list({column})[::-1]", "reverse each"),
            ("sorted", "sort every new row and return a list of lists", f"sorted({column})", "sort each"), ("tuple", "return a list of tuples", f"tuple({column})", "tuples"),
            ("sums", "return the list of the sums of the new rows", f"sum({column})", "sums"), ("max", "return the list of the largest numbers of the new rows", f"max({column})", "largest of each"),
            ("double", "double every number and return a list of lists", f"[2 * x for x in {column}]", "double"), ("first", "return the list of the first numbers of the new rows", f"{column}[0]", "first of each"),
        ))
        out = r.choice([v for v in ("result", "out", "res") if v != a])
        doc = f"Swap the rows and columns of a rectangular matrix{r.choice((' and ', ', then '))}{said}"
        body = [f"return [{code} for {column} in zip(*{a})]"] if r.random() < 0.6 else [f"{out} = []", f"for {column} in zip(*{a}):", f"    {out}.append({code})", f"return {out}"]
        args, key, plan = (a,), "columns/" + key, ["swap rows and columns", short]
    else:
        s, t = r.choice((("s", "t"), ("a", "b"), ("first", "second"), ("left", "right")))
        spaces, case = r.random() < 0.5, r.random() < 0.5
        relation, said, code = r.choice((("often", "use the same characters equally often", "sorted({v})"), ("often", "use the same characters equally often", "sorted({v})"), ("set", "use the same characters", "set({v})"), ("length", "have the same length", "len({v})"), ("equal", "are equal", "{v}"), ("start", "start with the same character", "{v}[:1]")))
        code, = r.slip(relation, code)
        tidy = lambda v: v + (".lower()" if case else "") + (r.slip("spaces", ".replace(' ', '')")[0] if spaces else "")
        ignoring = " and ".join(["spaces"] * spaces + ["case"] * case)
        doc = f"{r.choice(('Tell', 'Return'))} whether the two strings {said}" + (f", ignoring {ignoring}" if ignoring else "")
        if r.random() < 0.5 and ignoring:
            body = [f"{v} = {tidy(v)}" for v in (s, t)] + [f"return {fill(code, v=s)} == {fill(code, v=t)}"]
        else:
            body = [f"return {fill(code, v=tidy(s))} == {fill(code, v=tidy(t))}"]
        args, key = (s, t), f"letters/{relation}/{ignoring.replace(' and ', '+')}"
        plan = ["lower case"] * case + ["remove spaces"] * spaces + [{"often": "sort", "set": "sets", "length": "lengths", "equal": "as they are", "start": "first"}[relation], "equal?"]
    if "cut" in args:
        raise Rejected
    name = name_for(r, [r.choice((kind, "shift" if kind == "rotate" else "swap" if kind == "columns" else "same")), r.choice(("of", "both", "new", ""))])
    return finish(r, key, name, args, sentence(doc), plan_text(r, plan, ""), body)


FAMILIES = ((pipeline, 60), (conditional, 8), (recurrence, 3), (while_loop, 4), (formula, 6), (dictionary, 7), (text, 7), (neighbours, 4), (nested, 3), (two_dicts, 3), (whole_list, 3), (rearranged, 3))


# --------------------------------------------------------------------------- the split


def normal_form(function):
    """Digest of a function with its names replaced in order of appearance, without docstring and annotations."""
    names = {}
    rename = lambda name: names.setdefault(name, f"v{len(names)}")
    for node in ast.walk(function):
        if isinstance(node, ast.FunctionDef):
            node.name = rename(node.name)
            if len(node.body) > 1 and isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
                node.body = node.body[1:]
            node.returns = None
        elif isinstance(node, ast.arg):
            node.arg, node.annotation = rename(node.arg), None
        elif isinstance(node, ast.Name) and (node.id in names or node.id not in BUILTINS):
            node.id = rename(node.id)
    return hashlib.sha256(ast.unparse(function).encode()).hexdigest()[:16]


def normal_forms(program):
    """The normal form of every function on a program's top level."""
    return {normal_form(node) for node in ast.parse(program).body if isinstance(node, ast.FunctionDef)}


def forbidden_forms(starter):
    """Normal forms never trained on: those of the starter suite, of HumanEval+ and of MBPP+."""
    tasks = [json.loads(line) for line in pathlib.Path(starter).read_text().splitlines()]
    published = FORBIDDEN_FILE.read_text().split()
    return frozenset(published).union(*(normal_forms(t["prompt"] + t["canonical_solution"]) for t in tasks))


def held_out():
    """Compositions that are tested and never trained on."""
    return set(json.loads(HELD_OUT_FILE.read_text()).values()) if HELD_OUT_FILE.exists() else set()


# Less than each careful beginning has, so that the likeliest plan is a careful one.
HASTE = 0.22


class Corpus:
    """Draws training programs; the same seed gives the same ones. haste: the share that is written in haste."""

    def __init__(self, seed, forbidden_keys=None, forbidden_forms=frozenset(), haste=HASTE):
        self.random = Dice(seed, haste)
        self.forbidden_keys = held_out() if forbidden_keys is None else forbidden_keys
        self.forbidden_forms = forbidden_forms

    def draw(self):
        """The next program whose composition and form may be trained on."""
        while True:
            self.random.begin()
            family = self.random.choices([f for f, _ in FAMILIES], [w for _, w in FAMILIES])[0]
            try:
                program = family(self.random)
            except Rejected:
                continue
            if program.key in self.forbidden_keys:
                continue
            if self.forbidden_forms and normal_forms(program.answer) & self.forbidden_forms:
                continue
            return program


def main():
    corpus = Corpus(int(sys.argv[2]) if len(sys.argv) > 2 else 7)
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5):
        program = corpus.draw()
        print(f"# {program.key}\n{program.prompt}[R]{program.plan}[A]\n{program.answer}")


if __name__ == "__main__":
    main()
