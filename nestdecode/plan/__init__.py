"""
Opening layers: found by detection, declared by a spec, or learnt; carefully, or by written code.

A document is *read* (``text``), its layers are *opened* (here), and it is *asked*
(``queries``). Each way of opening gives the answer of the careful way, and calls it for
whatever it does not do itself.

=====================  ==============================================================
the careful way
-------------------------------------------------------------------------------------
``careful``            ``Plan``: runs what a spec declares over a tree, step by step
``detect``             finds layers where nothing is declared: ``find``, and the walk ``sweep``
``run``                ``Run``: position, budget and problems of one record
``settling``           the careful way for single places that written code left shut
---------------------  --------------------------------------------------------------
written code, by a spec
-------------------------------------------------------------------------------------
``source``             ``PythonSource``: Python that is written line by line, and built
``opening``            ``LayerWriter``: a plan as one function
``containers``         what ``LayerWriter`` writes for members and elements
``strings``            what ``LayerWriter`` writes for strings
``spending``           what layers in base64 and gzip may cost in that code
``facts``              what a plan and its limits say of all documents
---------------------  --------------------------------------------------------------
learnt code
-------------------------------------------------------------------------------------
``place``              ``SeenPlace``: where strings are decided, and what was seen there
``memory``             the places of the documents before, without a spec
``expected``           the places of a spec
``tries``              places as a plan that opens them and counts what it decided
``learnt``             ``Learner``: runs plan or walk, and proves that nothing is missed
``swift``              places as code that takes what documents share for granted; the proof
``counts``             how that code counts
``habits``             ``Habits``: when that code is written, tried, used, given up
=====================  ==============================================================

``engine.Engine`` chooses: without a spec a ``Learner``; with one the code of ``opening``, and
before it ``Habits``, if ``expected`` has places for the spec.
"""
