module wend/bench

go 1.19
