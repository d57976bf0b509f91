"""
JSON text (RFC 8259): reading it, writing it, and what raw bytes prove.

No other package imports orjson or msgspec.

===========  ==========================================================================
``reader``   ``Reader``: text to values, within ``Limits``; exact integers
``exact``    the same by the standard library, where fast parsers refuse
``number``   ``Number``: a number that keeps its text
``depth``    the depth of containers, in values and in texts
``scan``     what the bytes of a record prove about its layers: five claims
``verdict``  whether a text is JSON, by a parse whose value is dropped
``joined``   several records read at once
``write``    values to text
``tokens``   where the tokens of a text are, and the style in which it is written
===========  ==========================================================================
"""
