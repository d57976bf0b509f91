"""
JMESPath over the expanded tree: grammar, focus, interpreter and compiled code.

A query is parsed (``parsing``), composed with the focus of a spec (``focus``), and compiled to
a function of a tree, or to one of a document that opens the layers which the query sees, and
no others. What is not compiled is answered by the interpreter, which is the careful way: the
compiled code is tested against it.

===============  ======================================================================
``expression``   ``Expression``: a query that is ready to be asked; named queries, lint
``parsing``      text to a syntax tree; what no document can answer is refused
``focus``        where a query starts, and its composition with the focus
``interpreter``  the values of a query, step by step
``functions``    functions and comparisons, as the specification has them
``growth``       whether an answer may outgrow its document
``work``         the budget of an answer that may
``late``         the interpreter over a record whose layers are shut
``compiled``     a query as a function of a tree, of a document, of several records
``code``         ``Emitter``: writes an expression
``steps``        what it writes for steps into a value
``loops``        ... for projections
``making``       ... for what makes a value
``nodes``        properties of syntax nodes that decide how they are written
``layers``       ``Layers``: how compiled code opens layers on access, or that it does not
``declared``     ... those that a spec declares
``found``        ... those that are found
``shut``         what compiled code calls for a layer that does not open at once
===============  ======================================================================
"""
