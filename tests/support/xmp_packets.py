"""XMP as other programs write it, in all the forms they use."""

HEAD = '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Somebody 1.0">\n <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
FOOT = " </rdf:RDF>\n</x:xmpmeta>\n"
REGIONS = "http://www.metadataworkinggroup.com/schemas/regions/"
TYPES = 'xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#" xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"'

# digiKam, by exiv2: structures as parseType="Resource", simple values as attributes or elements.
DIGIKAM = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    + HEAD
    + f"""  <!-- kept -->
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:mwg-rs="{REGIONS}"
    {TYPES}
   xmp:Rating='4'>
   <dc:subject>
    <rdf:Bag>
     <rdf:li>holiday &amp; sea</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <mwg-rs:Regions rdf:parseType="Resource">
    <mwg-rs:AppliedToDimensions
     stDim:w="400"
     stDim:h="300"
     stDim:unit="pixel"/>
    <mwg-rs:RegionList>
     <rdf:Bag>
      <rdf:li>
       <rdf:Description
        mwg-rs:Name="Anna"
        mwg-rs:Type="Face"
        mwg-rs:Description="in red">
       <mwg-rs:Area
        stArea:x="0.25"
        stArea:y="0.5"
        stArea:w="0.2"
        stArea:h="0.2"
        stArea:unit="normalized"/>
       </rdf:Description>
      </rdf:li>
      <rdf:li>
       <rdf:Description mwg-rs:Name="" mwg-rs:Type="Face">
       <mwg-rs:Area stArea:x="0.75" stArea:y="0.5" stArea:w="0.2" stArea:h="0.2" stArea:unit="normalized"/>
       </rdf:Description>
      </rdf:li>
      <rdf:li rdf:parseType="Resource">
       <mwg-rs:Type>Pet</mwg-rs:Type>
       <mwg-rs:Name>Rex</mwg-rs:Name>
       <mwg-rs:Area rdf:parseType="Resource">
        <stArea:x>.5</stArea:x><stArea:y>.1</stArea:y><stArea:w>.1</stArea:w><stArea:h>.1</stArea:h></mwg-rs:Area>
      </rdf:li>
     </rdf:Bag>
    </mwg-rs:RegionList>
   </mwg-rs:Regions>
  </rdf:Description>
"""
    + FOOT
    + "<?xpacket end='w'?>"
    + " " * 200
)

# Microsoft Photo Gallery, and ACDSee.
MICROSOFT = (
    HEAD
    + """  <rdf:Description rdf:about="" xmlns:MP="http://ns.microsoft.com/photo/1.2/" xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
    xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#">
   <MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>
     <rdf:li MPReg:Rectangle="0.1, 0.2, 0.3, 0.4" MPReg:PersonDisplayName="Carl"/>
     <rdf:li rdf:parseType="Resource"><MPReg:Rectangle>rubbish</MPReg:Rectangle></rdf:li>
   </rdf:Bag></MPRI:Regions></MP:RegionInfo>
  </rdf:Description>
"""
    + FOOT
)
ACDSEE = (
    HEAD
    + """  <rdf:Description rdf:about="" xmlns:acdsee-rs="http://ns.acdsee.com/regions/" xmlns:acdsee-stArea="http://ns.acdsee.com/sType/Area#">
   <acdsee-rs:Regions rdf:parseType="Resource"><acdsee-rs:RegionList><rdf:Bag><rdf:li rdf:parseType="Resource">
     <acdsee-rs:Type>Face</acdsee-rs:Type><acdsee-rs:Name>Dora</acdsee-rs:Name>
     <acdsee-rs:DLYArea acdsee-stArea:x="0.5" acdsee-stArea:y="0.5" acdsee-stArea:w="0.2" acdsee-stArea:h="0.1"/>
   </rdf:li></rdf:Bag></acdsee-rs:RegionList></acdsee-rs:Regions>
  </rdf:Description>
"""
    + FOOT
)


def with_properties(properties: str, namespaces: str = "") -> str:
    """A packet that says this about the photo."""
    return (
        f'{HEAD}  <rdf:Description rdf:about="" xmlns:mwg-rs="{REGIONS}" {TYPES} {namespaces}>\n{properties}\n  </rdf:Description>\n{FOOT}'
    )


def region(name: str, x: float = 0.25, kind: str = "Face") -> str:
    """A region for a list."""
    return (
        f'<rdf:li rdf:parseType="Resource"><mwg-rs:Name>{name}</mwg-rs:Name><mwg-rs:Type>{kind}</mwg-rs:Type>'
        f'<mwg-rs:Area stArea:x="{x}" stArea:y="0.5" stArea:w="0.2" stArea:h="0.2" stArea:unit="normalized"/></rdf:li>'
    )


def regions(*items: str) -> str:
    """The property, with a size that is not said."""
    listed = f"<mwg-rs:RegionList><rdf:Bag>{''.join(items)}</rdf:Bag></mwg-rs:RegionList>"
    return f'<mwg-rs:Regions rdf:parseType="Resource">{listed}</mwg-rs:Regions>'
