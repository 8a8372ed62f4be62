#!/usr/bin/env bash
files=(one two)
[[ ${files[0]} == one ]] && cat <<<"$1" && diff <(echo a) <(echo b)
