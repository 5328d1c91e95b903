"""Density models, in reading order. Each file stands alone after `autoregressive.py`.

    autoregressive.py    the chain rule as an interface: log p(x) from the conditionals; notation
    completion.py        what else the conditionals answer: samples, marginals, completions, mixtures
    fvsbn.py             one logistic regression for each variable
    nade.py              one hidden layer, shared by all conditionals
    nade_one_pass.py     its fast twin: value and gradients in one pass, four images at a time
    made.py              a network whose masks make it autoregressive
    made_staircase.py    its fast twin: no zero is multiplied (binary_input.py: a product with bits adds rows)
    orderless.py         one network for every order
    ensemble.py          mixtures of models; EoNADE is one over orders
    joint.py             the label as one more variable
    codec.py             nats become bytes: arithmetic coding
    rnade.py             real numbers: mixtures of bells

`mlp.py` is no density: it is the fast twin of `minigrad.nn.MLP`, which rl/ uses.
"""
