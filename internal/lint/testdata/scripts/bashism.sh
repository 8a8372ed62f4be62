#!/bin/sh
files=(one two)
echo "${files[0]}"
